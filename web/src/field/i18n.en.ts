import type { Same } from '../i18n/same'
import type { zh } from './i18n.zh-CN'

export const en: Same<typeof zh> = {
  field: {
    title: 'My tasks today',
    report: 'Report a problem',
    nearest: 'Nearest first',
    metres: '{n} m',
    kilometres: '{n} km',
    noPosition: 'No position: choose it on the map; tasks stand by deadline',
    noPlace: 'no position',
    readAt: 'read at {at}, {n} in all',
    outbox: 'To be sent',
    queue: '{waiting} to be sent, {refused} refused',
    queueEmpty: 'Nothing waits to be sent; {n} sent just now',
    sending: 'Sending',
    sendNow: 'Send now',
    waits: 'goes by itself once there is a network, {n} photos',
    refused: 'Refused: {why}',
    drop: 'Give up',
    photoAfter: 'Photo after the work',
    photoBefore: 'Take a photo',
    photoFailed: 'This photo cannot be read: take another',
    dropPhoto: 'Remove photo {n}',
    here: 'Where I am',
    keep: 'Keep and send',
    kept: 'Kept on the phone; goes once there is a network',
  },
  things: {
    title: 'Components and things nearby',
    choose: 'There are components of this class nearby: choose which one it is',
    none: 'No registered component or thing within 200 m',
    noNetwork: 'No network, and none of this place is kept on the phone',
    kept: 'No network: as read on {at}',
    all: 'All {n}',
  },
}
