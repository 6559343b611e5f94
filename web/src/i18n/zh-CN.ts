/** 中文界面文字，按房间分列；与英文的键完全一致（有测试）。 */
import { zh as access } from '../access/i18n.zh-CN'
import { zh as analyse } from '../analyse/i18n.zh-CN'
import { zh as app } from '../app/i18n.zh-CN'
import { zh as approve } from '../approve/i18n.zh-CN'
import { zh as ask } from '../ask/i18n.zh-CN'
import { zh as cases } from '../cases/i18n.zh-CN'
import { zh as citizen } from '../citizen/i18n.zh-CN'
import { zh as city } from '../city/i18n.zh-CN'
import { zh as collect } from '../collect/i18n.zh-CN'
import { zh as command } from '../command/i18n.zh-CN'
import { zh as decide } from '../decide/i18n.zh-CN'
import { zh as desk } from '../desk/i18n.zh-CN'
import { zh as drill } from '../drill/i18n.zh-CN'
import { zh as emergency } from '../emergency/i18n.zh-CN'
import { zh as evaluate } from '../evaluate/i18n.zh-CN'
import { zh as field } from '../field/i18n.zh-CN'
import { zh as linkage } from '../linkage/i18n.zh-CN'
import { zh as map } from '../map/i18n.zh-CN'
import { zh as quality } from '../quality/i18n.zh-CN'
import { zh as shared } from '../shared/i18n.zh-CN'
import { zh as standard } from '../standard/i18n.zh-CN'
import { zh as steward } from '../steward/i18n.zh-CN'
import { zh as watch } from '../watch/i18n.zh-CN'

export const zh = {
  ...access,
  ...analyse,
  ...app,
  ...approve,
  ...ask,
  ...cases,
  ...citizen,
  ...city,
  ...collect,
  ...command,
  ...decide,
  ...desk,
  ...drill,
  ...emergency,
  ...evaluate,
  ...field,
  ...linkage,
  ...map,
  ...quality,
  ...shared,
  ...standard,
  ...steward,
  ...watch,
}
