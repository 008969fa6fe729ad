import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './scenario.mjs'

/** Told apart by those who see no difference between red and green, and in this order. */
const colours = ['#0b6fb8', '#d9822b', '#4d9a6a', '#a0568f', '#7a7a7a', '#c2a83e']
const ours = colours[0]
const grey = '#a3acb5'

const text = { fontFamily: 'sans-serif', fontSize: 12, color: '#24292f' }
const line = { lineStyle: { color: '#e4e7eb' } }

/** The library that draws, or undefined where it is not installed. */
function library() {
  try {
    return createRequire(join(root, 'bench', 'peers', 'package.json'))('echarts')
  } catch {
    return undefined
  }
}

/** Draws a chart. @returns SVG, or undefined where the library is not installed */
export function draw({ title, note, height, ...option }) {
  const echarts = library()
  if (echarts === undefined) return undefined
  // There is no font here to measure with, and no knowing which one is used: as wide as a wide one has it.
  echarts.setPlatformAPI({
    measureText: (words, font) => ({ width: 0.6 * Number(/([\d.]+)px/.exec(font)?.[1] ?? 12) * words.length }),
  })
  const size = { width: 820, height }
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    color: colours,
    textStyle: text,
    title: {
      text: title,
      subtext: note,
      left: 16,
      top: 10,
      textStyle: { ...text, fontSize: 15 },
      subtextStyle: { fontSize: 11 },
    },
    ...option,
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

const axis = (name, format, more) => ({
  name,
  nameLocation: 'middle',
  nameGap: 30,
  nameTextStyle: { ...text, fontSize: 12 },
  axisLabel: { ...text, formatter: format },
  splitLine: line,
  ...more,
})

/** The powers of ten around some values. */
const decades = (values) => {
  const known = values.filter((value) => value > 0)
  return {
    min: 10 ** Math.floor(Math.log10(Math.min(...known)) - 0.01),
    max: 10 ** Math.ceil(Math.log10(Math.max(...known))),
  }
}

/** One bar for each row, on a logarithmic axis; those of this library stand out. `mark` of a row is a dot beside it. */
export function bars({ title, note, unit, format, rows, markName }) {
  const extent = decades(rows.flatMap(({ value, mark = value }) => [value, mark]))
  const height = 120 + rows.length * 30
  const dots = rows.some(({ mark }) => mark !== undefined)
  // Beside a bar the value would be where a dot may be.
  const names = rows.map(({ name, value }) => (dots ? `${name}   ${format(value)}` : name)).reverse()
  return {
    title,
    note,
    height,
    grid: { left: 16, right: 84, top: 64, bottom: 48, containLabel: true },
    ...(dots && { legend: { right: 16, top: 14, data: ['median', markName], textStyle: text } }),
    xAxis: axis(unit, format, { type: 'log', ...extent }),
    yAxis: { type: 'category', data: names, axisLabel: text, axisTick: { show: false }, axisLine: line },
    series: [
      {
        name: 'median',
        type: 'bar',
        barWidth: 15,
        itemStyle: { color: ours },
        label: {
          show: !dots,
          position: 'right',
          formatter: ({ value }) => format(value),
          ...text,
          fontSize: 11,
        },
        data: rows.map(({ value, mine }) => ({ value, itemStyle: { color: mine ? ours : grey } })).reverse(),
      },
      ...(dots
        ? [
            {
              name: markName,
              type: 'scatter',
              symbolSize: 8,
              itemStyle: { color: colours[1] },
              data: rows.map(({ mark }) => mark ?? null).reverse(),
            },
          ]
        : []),
    ],
  }
}

/** Lines over numbers or names; both axes logarithmic where `log` says so. */
export function lines({ title, note, x, y, format, series, names, logX = false, logY = true }) {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value))
  return {
    title,
    note,
    height: 380,
    grid: { left: 44, right: 32, top: 92, bottom: 48, containLabel: true },
    legend: { left: 12, top: 54, itemGap: 16, textStyle: text },
    xAxis: names
      ? axis(x, undefined, { type: 'category', data: names, boundaryGap: false, splitLine: { show: false } })
      : axis(
          x,
          (value) => value.toLocaleString('en'),
          logX ? { type: 'log' } : { type: 'value', min: 1, minInterval: 1 },
        ),
    yAxis: axis(
      y,
      format,
      logY ? { type: 'log', ...decades(values), nameGap: 70 } : { type: 'value', min: 0, nameGap: 70 },
    ),
    series: series.map(({ name, points, dashed }) => ({
      name,
      type: 'line',
      symbol: 'circle',
      symbolSize: 6,
      lineStyle: { width: 2, type: dashed ? 'dashed' : 'solid' },
      data: points,
    })),
  }
}

/** Ratios around one, on a logarithmic axis: what is above it is won. */
export function ratios({ title, note, unit, rows, series }) {
  const all = rows.flatMap(({ values }) => values.filter((value) => value !== undefined))
  // With room for what stands beside the longest bar.
  const reach = 10 ** Math.ceil(Math.log10(4 * Math.max(...all, ...all.map((value) => 1 / value))))
  const shown = (value) => (value >= 1 ? `${round(value)} ×` : `1/${round(1 / value)} ×`)
  return {
    title,
    note,
    height: 130 + rows.length * 20 * series.length,
    grid: { left: 16, right: 60, top: 84, bottom: 48, containLabel: true },
    legend: { left: 12, top: 54, data: series, textStyle: text },
    xAxis: axis(unit, (value) => (value >= 1 ? `${value}` : `1/${Math.round(1 / value)}`), {
      type: 'log',
      min: 1 / reach,
      max: reach,
    }),
    yAxis: {
      type: 'category',
      data: rows.map(({ name }) => name).reverse(),
      axisLabel: text,
      axisTick: { show: false },
      axisLine: { show: false },
    },
    series: series.map((name, index) => ({
      name,
      type: 'custom',
      itemStyle: { color: colours[index] },
      encode: { x: 1, y: 0 },
      data: rows.map(({ values }, row) => [rows.length - 1 - row, values[index] ?? Number.NaN]),
      renderItem: (_params, api) => bar(api, index, series.length, shown),
    })),
  }
}

const round = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'))

/** A bar from one to a value, and the value beside it: a bar of the library's own would begin at the axis' end. */
function bar(api, index, of, shown) {
  const value = api.value(1)
  if (Number.isNaN(value)) return undefined
  const [one, middle] = api.coord([1, api.value(0)])
  const [end] = api.coord([value, api.value(0)])
  const thick = 13
  const y = middle - (thick * of) / 2 + thick * index
  const fill = api.visual('color')
  const style = {
    text: shown(value),
    fill: text.color,
    fontSize: 10,
    fontFamily: text.fontFamily,
    textVerticalAlign: 'middle',
  }
  const label = value >= 1 ? { x: end + 4, textAlign: 'left' } : { x: end - 4, textAlign: 'right' }
  return {
    type: 'group',
    children: [
      {
        type: 'rect',
        shape: { x: Math.min(one, end), y, width: Math.max(1, Math.abs(end - one)), height: thick - 2 },
        style: { fill },
      },
      { type: 'text', style: { ...style, x: label.x, y: y + thick / 2 - 1, textAlign: label.textAlign } },
    ],
  }
}
