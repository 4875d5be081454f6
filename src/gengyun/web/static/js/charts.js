/* Charts. Colours come from the CSS tokens, so light and dark need no second definition.
   Tooltips are drawn (richText): HTML tooltips carry style attributes that the CSP refuses. */
import { forecastBand } from './forecast_chart.js';
import { insight } from './insight_charts.js';

const root = getComputedStyle(document.documentElement);
const token = (name) => root.getPropertyValue(`--gy-${name}`).trim();
const small = window.matchMedia('(max-width: 860px)');

function base(more) {
  return {
    animation: false, /* motion is for panels and notes; a line that starts with a gap cannot move either */
    textStyle: { fontFamily: token('font'), fontSize: 12, color: token('ink-3') },
    tooltip: {
      trigger: 'axis', renderMode: 'richText', backgroundColor: token('raised'), borderColor: token('line'),
      textStyle: { color: token('ink'), fontSize: 12 }, axisPointer: { lineStyle: { color: token('line-strong') } },
    },
    ...more,
  };
}
const days = (data, more) => ({ type: 'category', data, axisTick: { show: false }, axisLine: { lineStyle: { color: token('line-strong') } }, axisLabel: { color: token('ink-3'), fontSize: 12, hideOverlap: true }, ...more });
const figures = (more) => ({ type: 'value', minInterval: 1, splitLine: { lineStyle: { color: token('line') } }, axisLabel: { color: token('ink-3'), fontSize: 12 }, ...more });

/* [first, last] of every run of rest days */
function runs(rest) {
  const found = [];
  rest.forEach((on, i) => {
    if (!on) return;
    const last = found[found.length - 1];
    if (last && last[1] === i - 1) last[1] = i; else found.push([i, i]);
  });
  return found;
}

const make = {
  usage(data) {
    const long = data.labels.length > 120;
    /* names that would lie on one another: the later one is left to the note below */
    const room = data.labels.length / 20;
    const free = data.holidays.filter((h, i) => i === 0 || h.from - data.holidays[i - 1].from > room);
    const named = (from, to) => free.find((h) => h.from <= to && h.to >= from)?.name || '';
    const shaded = long ? data.holidays.map((h) => [h.from, h.to]) : runs(data.rest);
    return base({
      grid: { left: 40, right: small.matches ? 12 : 92, top: 26, bottom: 24 },
      xAxis: days(data.labels, { boundaryGap: false, axisLabel: { color: token('ink-3'), hideOverlap: true, interval: Math.max(0, Math.round(data.labels.length / (small.matches ? 4 : 8)) - 1) } }),
      yAxis: figures({ min: 0, splitNumber: 3 }),
      series: [
        {
          name: 'w', type: 'line', data: data.values.map((v, i) => (data.rest[i] ? null : v)), connectNulls: true, symbol: 'none',
          lineStyle: { color: token('ch-1'), width: 2 }, itemStyle: { color: token('ch-1') },
          endLabel: { show: !small.matches && Boolean(data.end), formatter: data.end, color: token('ink'), fontSize: 12 },
          markArea: {
            silent: true, itemStyle: { color: token('shade') }, label: { color: token('ink-2'), fontSize: 11, position: 'top' },
            data: shaded.map(([from, to]) => [{ name: small.matches && !long ? '' : named(from, to), xAxis: from }, { xAxis: to }]),
          },
          tooltip: { show: true },
        },
        { name: 'r', type: 'scatter', data: data.values.map((v, i) => (data.rest[i] ? v : null)), symbolSize: long ? 2.5 : 4, itemStyle: { color: token('n-f') } },
      ],
      tooltip: { ...base({}).tooltip, formatter: (points) => { const p = points.find((one) => one.value !== null && one.value !== undefined); return p ? `${p.axisValue}   ${p.value}` : ''; } },
    });
  },
  score(data) {
    const known = data.values.filter((v) => v !== null);
    const low = Math.max(0, Math.floor((Math.min(...known, data.bands[2]) - 8) / 10) * 10);
    const high = Math.min(100, Math.ceil((Math.max(...known, data.bands[0]) + 6) / 10) * 10);
    const [a, b, c] = data.bands;
    const area = (letter, from, to) => [{ yAxis: Math.min(to, high), name: letter.toUpperCase(), itemStyle: { color: token(`${letter}-s`), opacity: 0.6 } }, { yAxis: Math.max(from, low) }];
    const last = data.labels.length - 1;
    return base({
      grid: { left: 28, right: 36, top: 16, bottom: 22 },
      xAxis: days(data.labels, { boundaryGap: false, axisLabel: { color: token('ink-3'), interval: (i) => i === 0 || i === Math.floor(last / 2) || i === last, hideOverlap: true } }),
      yAxis: figures({ min: low, max: high, interval: 10, splitLine: { show: false } }),
      series: [{
        type: 'line', data: data.values, symbol: 'none', connectNulls: false, lineStyle: { color: token('ch-1'), width: 2 }, itemStyle: { color: token('ch-1') },
        endLabel: { show: true, formatter: (p) => (p.value === null || p.value === undefined ? '' : String(Math.floor(p.value))), color: token(`${data.band}-t`), fontWeight: 700, fontSize: 13 },
        markArea: { silent: true, label: { position: 'insideLeft', color: token('ink-3'), fontSize: 11 }, data: [area('a', a, 100), area('b', b, a), area('c', c, b), area('d', 0, c)].filter(([top, bottom]) => top.yAxis > bottom.yAxis) },
        markLine: { silent: true, symbol: 'none', lineStyle: { color: token('ink-3'), type: 'dashed' }, label: { color: token('ink-2'), fontSize: 11, position: 'end', formatter: '{b}' }, data: data.marks.map((m) => ({ xAxis: m.at, name: m.name })) },
      }],
      tooltip: { ...base({}).tooltip, formatter: ([p]) => (p && p.value !== null && p.value !== undefined ? `${p.axisValue}   ${Math.floor(p.value)}` : '') },
    });
  },
  arr(data) {
    const money = (v) => (Math.abs(v) >= 1e4 && document.documentElement.lang.startsWith('zh') ? `${(v / 1e4).toLocaleString(undefined, { maximumFractionDigits: 1 })} 万` : v.toLocaleString());
    return base({
      grid: { left: 64, right: small.matches ? 12 : 28, top: 16, bottom: 24 },
      xAxis: { type: 'time', axisTick: { show: false }, axisLine: { lineStyle: { color: token('line-strong') } }, axisLabel: { color: token('ink-3'), fontSize: 12, hideOverlap: true, formatter: '{yyyy}-{MM}' } },
      yAxis: figures({ min: 0, splitNumber: 3, minInterval: 0, axisLabel: { color: token('ink-3'), fontSize: 12, formatter: money } }),
      series: data.series.map((line, n) => ({
        name: line.name, type: 'line', step: 'end', symbol: 'none', data: line.data, lineStyle: { color: token(`ch-${n + 1}`), width: 2 }, itemStyle: { color: token(`ch-${n + 1}`) },
        ...(n === 0 ? { markLine: { silent: true, symbol: 'none', lineStyle: { color: token('line-strong'), type: 'dashed' }, label: { show: false }, data: [{ xAxis: data.today }] } } : {}),
      })),
      tooltip: { ...base({}).tooltip, formatter: (points) => `${String(points[0].axisValueLabel || '').slice(0, 10)}   ${points.map((p) => `${data.series.length > 1 ? `${p.seriesName} ` : ''}${money(p.value[1])}`).join('  ')}${(data.marks.find((m) => m.on === points[0].value[0]) || {}).name ? `   ${data.marks.find((m) => m.on === points[0].value[0]).name}` : ''}` },
    });
  },
  bands(data) {
    /* the lowest band lies at the bottom, so that its share is read off the axis */
    const letters = ['d', 'c', 'b', 'a', 'n'];
    const fill = { d: 'd-f', c: 'c-f', b: 'b-l', a: 'a-l', n: 'n-l' };
    return base({
      grid: { left: 40, right: 16, top: 18, bottom: 24 },
      xAxis: days(data.labels, { boundaryGap: true }),
      yAxis: figures({ min: 0, max: 100, interval: 25, axisLabel: { color: token('ink-3'), fontSize: 12, formatter: '{value}%' } }),
      series: letters.map((letter, n) => ({
        name: letter === 'n' ? '?' : letter.toUpperCase(), type: 'bar', stack: 'all', barCategoryGap: '25%', data: data.shares[letter], itemStyle: { color: token(fill[letter]) },
        ...(n === 0 ? { markLine: { silent: true, symbol: 'none', lineStyle: { color: token('ink-2'), type: 'dashed' }, label: { color: token('ink-2'), fontSize: 11, position: 'end', formatter: '{b}' }, data: data.marks.map((m) => ({ xAxis: m.at, name: m.name })) } } : {}),
      })),
      tooltip: { ...base({}).tooltip, axisPointer: { type: 'shadow' }, formatter: (points) => `${points[0].axisValue}   ${points.map((p) => `${p.seriesName} ${data.counts[letters[p.seriesIndex]][p.dataIndex]}`).join('  ')}` },
    });
  },
};
Object.assign(make, forecastBand({ base, days, figures, token, small }), insight({ base, days, figures, token, small }));

let loading;
function library() {
  if (window.echarts) return Promise.resolve();
  loading ||= new Promise((done, failed) => {
    const script = document.createElement('script');
    script.src = new URL('../vendor/echarts.min.js', import.meta.url).href;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return loading;
}

async function draw(box) {
  box.dataset.drawn = '1';
  const [answer] = await Promise.all([fetch(box.dataset.src, { headers: { Accept: 'application/json' } }), library()]);
  if (!answer.ok) throw new Error(answer.status);
  const data = await answer.json();
  const note = box.closest('section')?.querySelector('[data-chart-note]');
  if (note) note.textContent = data.note || '';
  if (!data.values.some((v) => v !== null && (box.dataset.chart !== 'usage' || v > 0))) {
    box.textContent = box.dataset.empty || '—';
    box.classList.add('none');
    if (note) note.textContent = '';
    return;
  }
  if (data.finding) box.setAttribute('aria-label', data.finding);
  const chart = window.echarts.init(box, null, { renderer: 'svg' });
  chart.setOption(make[box.dataset.chart](data));
  new ResizeObserver(() => chart.resize()).observe(box);
}

export function drawAll() {
  document.querySelectorAll('[data-chart][data-src]:not([data-drawn])').forEach((box) => {
    draw(box).catch(() => {
      box.textContent = document.body.dataset.failed;
      box.classList.add('none');
    });
  });
}
