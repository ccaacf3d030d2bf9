// Charts. A chart is drawn from the table beside it, so that the two cannot differ. Colours come from
// the tokens, so that a theme needs no chart of its own.
const all = (query, at = document) => [...at.querySelectorAll(query)];

const probe = document.createElement('span'); probe.hidden = true; document.body.append(probe);
const colour = (name, alpha) => {
  probe.style.color = `var(${name})`;
  const c = getComputedStyle(probe).color;
  return alpha === undefined ? c : c.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
};
const fmt = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
const short = (v) => v >= 1e6 ? fmt.format(v / 1e6) + ' M' : v >= 1e4 ? fmt.format(v / 1e3) + ' k' : fmt.format(v);
const clock = (s) => new Date(s * 1000).toISOString().slice(11, 16);

// Half a step is left on both sides, so that no bar is cut. Of a single moment uPlot alone would make
// a range from 0 to twice that moment, which is decades of labels.
function timeRange(u, lo, hi) {
  const t = u.data[0];
  if (t.length < 2) return [(t[0] ?? 0) - 30, (t[0] ?? 0) + 30];
  const half = (t[1] - t[0]) / 2;
  return [lo - half, hi + half];
}

const steps = [60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400];
function timeSplits(u, axis, lo, hi) {
  const step = steps.find((s) => (hi - lo) / s <= 8) ?? 86400 * Math.ceil((hi - lo) / 86400 / 8);
  const out = [];
  for (let t = Math.ceil(lo / step) * step; t <= hi; t += step) out.push(t);
  return out;
}

let charts = [];
export function drawCharts() {
  if (!window.uPlot) return;
  charts.forEach((c) => c.destroy()); charts = [];
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  all('.plot[data-from]').forEach((box) => {
    if (!box.clientWidth) return; // hidden: there is nothing to draw yet
    const table = document.getElementById(box.dataset.from);
    const cols = box.dataset.cols.split(',').map(Number), tones = box.dataset.tones.split(','), names = box.dataset.names.split(',');
    const body = [...table.tBodies[0].rows];
    const time = body.map((r) => Number(r.cells[0].dataset.t));
    const data = [time, ...cols.map((c) => body.map((r) => r.cells[c].dataset.v === '' ? null : Number(r.cells[c].dataset.v)))];
    const bars = box.dataset.kind === 'bars', area = box.dataset.kind === 'area';
    const figure = box.closest('figure');
    const read = (i) => {
      const when = figure.querySelector('[data-when]'); if (when) when.textContent = i === time.length - 1 ? 'Last' : new Date(time[i] * 1000).toISOString().slice(11, 19);
      all('[data-read]', figure).forEach((el) => {
      const v = data[Number(el.dataset.read)][i]; el.textContent = v === null || v === undefined ? '–' : v >= 1e6 ? short(v) : fmt.format(v >= 100 ? Math.round(v) : v);
      });
    };
    const marks = ('marked' in box.dataset ? box.closest('section').querySelector('[data-marks]').dataset.marks : '').split('|').filter(Boolean).map((m) => { const [t, ...w] = m.split(' '); return { t: Number(t), w: w.join(' ') }; });
    const limit = Number(box.dataset.limit) || 0;
    charts.push(new uPlot({
      width: box.clientWidth, height: box.clientHeight, padding: [8, 56, box.dataset.axis === 'off' ? 8 : 0, 0],
      legend: { show: false }, cursor: { y: false, points: bars ? { show: false } : { size: 6 }, sync: { key: 'campaign' }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: timeRange }, y: { range: (u, lo, hi) => [0, Math.max(hi, limit) * 1.12 || 1] } },
      axes: [
        { stroke: colour('--ink-3'), font, size: 24, gap: 4, grid: { show: false }, ticks: { show: false }, values: (u, s) => s.map(clock), splits: timeSplits, show: box.dataset.axis !== 'off' },
        { stroke: colour('--ink-3'), font, size: 44, gap: 6, space: 32, grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false }, values: (u, s) => s.map(short) },
      ],
      series: [{}, ...cols.map((c, i) => ({
        stroke: colour(tones[i]), width: bars ? 0 : 1.5, points: { show: !bars && time.length === 1, size: 5 }, // a single value makes no line
        fill: bars ? colour(tones[i]) : area ? colour(tones[i], 0.1) : undefined,
        paths: bars ? uPlot.paths.bars({ size: [0.7, 24] }) : undefined,
      }))],
      hooks: {
        setCursor: [(u) => read(u.cursor.idx ?? time.length - 1)],
        draw: [(u) => {
          const x = u.ctx, r = devicePixelRatio, { left, top, width, height } = u.bbox;
          x.save(); x.font = `500 ${11 * r}px ${getComputedStyle(document.body).fontFamily}`; x.textBaseline = 'middle';
          if (limit) {
            const y = Math.round(u.valToPos(limit, 'y', true));
            x.strokeStyle = colour('--ink-3'); x.lineWidth = r; x.setLineDash([3 * r, 3 * r]);
            x.beginPath(); x.moveTo(left, y); x.lineTo(left + width, y); x.stroke(); x.setLineDash([]);
            x.fillStyle = colour('--ink-3'); x.textAlign = 'left'; x.fillText(box.dataset.limitName, left + width + 6 * r, y);
          }
          marks.forEach((m) => {
            const px = Math.round(u.valToPos(m.t, 'x', true)) + 0.5;
            x.strokeStyle = colour('--paused-fill'); x.lineWidth = r; x.beginPath(); x.moveTo(px, top); x.lineTo(px, top + height); x.stroke();
            if (m.w) { x.fillStyle = colour('--paused'); x.textAlign = 'right'; if (px - left > x.measureText(m.w).width + 16 * r) x.fillText(m.w, px - 8 * r, top + height * 0.55); }
          });
          if (bars) { x.restore(); return; }
          const ys = cols.map((c, i) => ({ i, y: u.valToPos(data[i + 1].findLast((v) => v !== null) ?? 0, 'y', true) })).sort((a, b) => a.y - b.y);
          ys.forEach((p, k) => { if (k && p.y - ys[k - 1].y < 13 * r) p.y = ys[k - 1].y + 13 * r; });
          const over = ys.length && ys.at(-1).y > top + height - 4 * r ? ys.at(-1).y - (top + height - 4 * r) : 0;
          x.textAlign = 'left';
          ys.forEach((p) => { x.fillStyle = colour(tones[p.i].replace('-fill', '')); if (names[p.i]) x.fillText(names[p.i], left + width + 6 * r, p.y - over); });
          x.restore();
        }],
      },
    }, data, box));
    read(time.length - 1);
  });
}

// chartsUse reports whether a chart is drawn from a table in one of the parts.
export const chartsUse = (parts) => all('.plot[data-from]').some((box) => document.getElementById(box.dataset.from)?.querySelector('tbody')?.dataset.part in parts);

let again;
addEventListener('resize', () => { clearTimeout(again); again = setTimeout(drawCharts, 120); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawCharts);
