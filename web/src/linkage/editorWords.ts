/** The editor's own words in Chinese; in English it speaks for itself. */
import type { Locale } from '../city/time'

const WORDS: Record<string, string> = {
  'Activate hand tool': '抓手',
  'Activate lasso tool': '框选',
  'Activate create/remove space tool': '增减空间',
  'Activate global connect tool': '连线',
  'Create start event': '开始事件',
  'Create intermediate/boundary event': '中间事件',
  'Create end event': '结束事件',
  'Create gateway': '网关',
  'Create task': '任务',
  'Create data object reference': '数据对象',
  'Create data store reference': '数据存储',
  'Create expanded sub-process': '子流程',
  'Create pool/participant': '泳池',
  'Create group': '分组',
  'Append end event': '接结束事件',
  'Append gateway': '接网关',
  'Append task': '接任务',
  'Append intermediate/boundary event': '接中间事件',
  'Append {type}': '接{type}',
  'Add text annotation': '加注释',
  'Change element': '改为…',
  'Connect to other element': '连线',
  'Connect using association': '关联',
  Delete: '删除',
  'Set color': '颜色',
  'Add lane above': '在上方加泳道',
  'Add lane below': '在下方加泳道',
  'Divide into two lanes': '分为两条泳道',
  'Divide into three lanes': '分为三条泳道',
  'Search in diagram': '在图中查找',
  'Open minimap': '缩略图',
  Task: '任务',
  'User task': '人工任务',
  'Service task': '服务任务',
  'Start event': '开始事件',
  'End event': '结束事件',
  'Terminate end event': '终止结束事件',
  'Exclusive gateway': '排他网关',
  'Parallel gateway': '并行网关',
  'Inclusive gateway': '包容网关',
  'Event-based gateway': '事件网关',
  'Timer intermediate catch event': '定时事件',
  'Message intermediate catch event': '消息事件',
  'Timer boundary event': '定时边界事件',
  'Timer boundary event (non-interrupting)': '定时边界事件（不中断）',
  'Message boundary event': '消息边界事件',
  'Message boundary event (non-interrupting)': '消息边界事件（不中断）',
  'Sub-process (expanded)': '子流程（展开）',
  'Sub-process (collapsed)': '子流程（收起）',
  'Sequence flow': '连线',
  'Default flow': '默认出口',
  'Conditional flow': '有条件的连线',
  'Manual task': '手工任务',
  'Parallel multi-instance': '并行多实例',
  'Sequential multi-instance': '顺序多实例',
  Loop: '循环',
}

type Translate = (text: string, parts?: Record<string, string>) => string

/** A module of the editor that says its words in a language. */
export function translated(locale: Locale): { translate: ['value', Translate] } {
  const translate: Translate = (text, parts = {}) => {
    const said = locale === 'en' ? text : (WORDS[text] ?? text)
    return said.replace(/{([^}]+)}/g, (whole, name: string) => {
      const part = parts[name]
      return part === undefined ? whole : locale === 'en' ? part : (WORDS[part] ?? part)
    })
  }
  return { translate: ['value', translate] }
}
