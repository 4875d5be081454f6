/* The charts of the insight pages. `kit` is what charts.js shares: base, axes, colours, width. */
export const insight = ({ base, days, figures, token, small }) => {
  const narrow = () => small.matches;
  const shape = { start: 'ch-6', end: 'ch-6', up: 'ch-3', down: 'ch-5', flat: 'ch-6' };
  const line = (name, data, colour, more) => ({
    name, type: 'line', data, symbol: 'circle', symbolSize: 5, connectNulls: false, lineStyle: { color: token(colour), width: 2 }, itemStyle: { color: token(colour) },
    endLabel: { show: !narrow(), formatter: name, color: token(colour), fontSize: 12 }, ...more,
  });
  const words = (points, format) => `${points[0].axisValue}\n${points.filter((p) => p.value !== null && p.value !== undefined).map((p) => `${p.seriesName}   ${format(p)}`).join('\n')}`;

  return {
    /* ARR at the start, what moved it, ARR at the end: bars that hang where the one before ended */
    waterfall(data) {
      const low = (n) => Math.min(data.steps[n].from, data.steps[n].to);
      return base({
        grid: { left: narrow() ? 44 : 56, right: 8, top: 24, bottom: narrow() ? 64 : 28 },
        xAxis: days(data.steps.map((s) => s.name), { axisLabel: { color: token('ink-2'), fontSize: 12, interval: 0, rotate: narrow() ? 50 : 0 } }),
        yAxis: figures({ min: data.floor, minInterval: 0, axisLabel: { color: token('ink-3'), fontSize: 12 } }),
        series: [{
          type: 'custom', encode: { x: 0, y: [1, 2] }, data: data.steps.map((s, n) => [n, s.from, s.to]),
          renderItem: (params, api) => {
            const step = data.steps[api.value(0)];
            const [x, top] = api.coord([api.value(0), Math.max(step.from, step.to)]);
            const bottom = api.coord([api.value(0), Math.max(low(api.value(0)), data.floor)])[1];
            const width = api.size([1, 0])[0] * 0.62;
            const next = data.steps[api.value(0) + 1];
            const level = api.coord([api.value(0), step.to])[1];
            return {
              type: 'group',
              children: [
                { type: 'rect', shape: { x: x - width / 2, y: top, width, height: Math.max(1, bottom - top) }, style: { fill: token(shape[step.kind]) } },
                { type: 'text', style: { text: step.label, x, y: top - 4, align: 'center', verticalAlign: 'bottom', fill: token('ink'), font: `12px ${token('font')}` } },
                ...(next ? [{ type: 'line', shape: { x1: x + width / 2, x2: x + api.size([1, 0])[0] - width / 2, y1: level, y2: level }, style: { stroke: token('line-strong') } }] : []),
              ],
            };
          },
        }],
        tooltip: { ...base({}).tooltip, trigger: 'item', formatter: (p) => `${data.steps[p.dataIndex].name}   ${data.steps[p.dataIndex].label}` },
      });
    },
    /* rates by period: shares as percent; a period without one leaves a gap */
    rates(data) {
      const colours = ['ch-1', 'ch-2', 'ch-3', 'ch-4', 'ch-5', 'ch-6'];
      const lines = data.lines.map((one, n) => line(one.name, one.values, colours[n % 6], one.dashed ? { lineStyle: { color: token(colours[n % 6]), width: 2, type: 'dashed' } } : {}));
      if (data.level !== null && data.level !== undefined) {
        lines[0].markLine = { silent: true, symbol: 'none', lineStyle: { color: token('line-strong') }, label: { show: false }, data: [{ yAxis: data.level }] };
      }
      return base({
        grid: { left: 48, right: narrow() ? 12 : 96, top: 16, bottom: narrow() ? 48 : 24 },
        legend: { show: narrow() && lines.length > 1, bottom: 0, left: 0, itemWidth: 9, itemHeight: 9, icon: 'roundRect', textStyle: { color: token('ink-2'), fontSize: 12 } },
        xAxis: days(data.labels), yAxis: figures({ scale: true, min: data.floor, minInterval: 0, axisLabel: { color: token('ink-3'), fontSize: 12, formatter: '{value}%' } }),
        series: lines.map((one) => ({ ...one, labelLayout: { moveOverlap: 'shiftY' } })),
        tooltip: { ...base({}).tooltip, formatter: (points) => words(points, (p) => `${p.value}%`) },
      });
    },
  };
};
