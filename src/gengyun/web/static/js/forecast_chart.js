/* What was expected week by week: P10 to P90 as an area, P50 solid, what the CSMs say dashed.
   `kit` is what charts.js shares: base, axes, colours, width. */
const PLOT = 196; /* height of the drawing in a box of 240 */
const LINE = 15;

export const forecastBand = ({ base, days, figures, token, small }) => ({
  band(data) {
    const narrow = small.matches;
    const last = data.labels.length - 1;
    const shown = (value) => (value >= 1000 ? Math.round(value).toLocaleString('en') : String(value));
    const line = (name, values, colour, more) => ({
      name, type: 'line', data: values, symbol: last > 0 ? 'none' : 'circle', lineStyle: { color: token(colour), width: 1 }, itemStyle: { color: token(colour) },
      endLabel: { show: !narrow, formatter: `${name}  ${shown(values[last])}`, color: token('ink-2'), fontSize: 12 }, ...more,
    });
    const hidden = { type: 'line', stack: 'band', symbol: 'none', lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false } };
    const lines = [
      line('P90', data.high, 'band-inner'),
      line('P50', data.values, 'ch-1', { lineStyle: { color: token('ch-1'), width: 2.5 }, endLabel: { show: !narrow, formatter: `P50  ${shown(data.values[last])}`, color: token('ch-1'), fontSize: 12, fontWeight: 700 } }),
      line('P10', data.low, 'band-inner'),
      line(data.said_word, data.said, 'c-t', {
        step: 'end', lineStyle: { color: token('c-t'), width: 2, type: [5, 3] },
        endLabel: { show: !narrow, formatter: `${data.said_word}  ${shown(data.said[last])}`, color: token('c-t'), fontSize: 12, fontWeight: 700 },
        markLine: { silent: true, symbol: 'none', lineStyle: { color: token('line-strong') }, label: { formatter: `${data.due_word} ${shown(data.due)}`, position: 'insideStartTop', color: token('ink-3'), fontSize: 11 }, data: [{ yAxis: data.due }] },
      }),
    ];
    /* a round top, and names at the line ends that do not lie on one another */
    const most = Math.max(data.due, ...data.high, ...data.said);
    const rough = Math.max(most - data.floor, 1) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const top = data.floor + step * Math.ceil((most - data.floor) / step);
    let lowest = -Infinity;
    [...lines].sort((a, b) => b.data[last] - a.data[last]).forEach((one) => {
      const at = ((top - one.data[last]) / (top - data.floor)) * PLOT;
      const moved = Math.max(at, lowest + LINE);
      lowest = moved;
      one.endLabel = { ...one.endLabel, offset: [0, moved - at] };
    });
    return base({
      grid: { left: 48, right: narrow ? 14 : Math.max(128, 76 + 7.5 * data.said_word.length), top: 20, bottom: narrow ? 48 : 24 },
      legend: { show: narrow, bottom: 0, left: 0, data: lines.map((one) => one.name), icon: 'roundRect', itemWidth: 9, itemHeight: 9, textStyle: { color: token('ink-2'), fontSize: 12 } },
      xAxis: days(data.labels, { boundaryGap: false }),
      yAxis: figures({ min: data.floor, max: top, interval: step, minInterval: 0 }),
      series: [
        /* the area between P10 and P90: an unseen line, and the difference stacked on it */
        { ...hidden, data: data.low },
        { ...hidden, data: data.high.map((value, n) => value - data.low[n]), areaStyle: { color: token('band-outer'), opacity: 1 } },
        ...lines,
      ],
      tooltip: { ...base({}).tooltip, formatter: (points) => `${points[0].axisValue}\n${points.filter((p) => p.seriesName && !p.seriesName.startsWith('series')).map((p) => `${p.seriesName}   ${shown(p.value)}`).join('\n')}` },
    });
  },
});
