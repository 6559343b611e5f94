/** English words of the interface, room by room; the keys equal the Chinese ones (tested). */
import { en as access } from '../access/i18n.en'
import { en as analyse } from '../analyse/i18n.en'
import { en as app } from '../app/i18n.en'
import { en as approve } from '../approve/i18n.en'
import { en as ask } from '../ask/i18n.en'
import { en as cases } from '../cases/i18n.en'
import { en as citizen } from '../citizen/i18n.en'
import { en as city } from '../city/i18n.en'
import { en as collect } from '../collect/i18n.en'
import { en as command } from '../command/i18n.en'
import { en as decide } from '../decide/i18n.en'
import { en as desk } from '../desk/i18n.en'
import { en as drill } from '../drill/i18n.en'
import { en as emergency } from '../emergency/i18n.en'
import { en as evaluate } from '../evaluate/i18n.en'
import { en as field } from '../field/i18n.en'
import { en as linkage } from '../linkage/i18n.en'
import { en as map } from '../map/i18n.en'
import { en as quality } from '../quality/i18n.en'
import { en as shared } from '../shared/i18n.en'
import { en as standard } from '../standard/i18n.en'
import { en as steward } from '../steward/i18n.en'
import { en as watch } from '../watch/i18n.en'

export const en = {
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
