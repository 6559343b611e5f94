/** What all charts share: axes, tooltip and text in our tokens. */
import type { EChartsCoreOption } from 'echarts/core'

import { token } from '../theme/theme'

const FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"

/** Grid, text and tooltip. The tooltip is drawn, not HTML: a strict content policy would refuse its inline styles. */
export function frame(): EChartsCoreOption {
  return {
    animation: false,
    aria: { enabled: true },
    textStyle: { fontFamily: FONT, fontSize: 12, color: token('text-2') },
    grid: { left: 8, right: 12, top: 14, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: token('raised'),
      borderColor: token('line-strong'),
      borderWidth: 1,
      padding: [6, 10],
      textStyle: { color: token('text'), fontSize: 12, fontFamily: FONT },
      axisPointer: { lineStyle: { color: token('text-3') }, shadowStyle: { color: token('text'), opacity: 0.05 } },
    },
  }
}

export function valueAxis(name = ''): Record<string, unknown> {
  return {
    type: 'value',
    name,
    nameTextStyle: { color: token('text-3'), align: 'left' },
    axisLabel: { color: token('text-3') },
    splitLine: { lineStyle: { color: token('line') } },
    splitNumber: 4,
    minInterval: 1,
  }
}

export function categoryAxis(data: string[]): Record<string, unknown> {
  return {
    type: 'category',
    data,
    axisLabel: { color: token('text-3'), hideOverlap: true },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: token('line-strong') } },
  }
}

export function legend(): Record<string, unknown> {
  return { top: 0, right: 0, itemWidth: 10, itemHeight: 10, icon: 'rect', textStyle: { color: token('text-2'), fontSize: 12 } }
}
