// Events of the Yahoo streaming benchmark as JSON of some 240 bytes: 1,000 ads of 100 campaigns,
// a third of the events views. Batch i covers second i of the event time.

import type { BatchBytes } from './lines.ts'
import { below, randomOf, uuid } from './random.ts'

/** Event time of the first batch, epoch milliseconds. */
export const BASE_MS = 1_700_000_000_000

const CAMPAIGNS = 100
const ADS = 1_000
const ADS_A_CAMPAIGN = ADS / CAMPAIGNS
const TYPES = ['banner', 'modal', 'sponsored-search', 'mail', 'mobile']
const EVENTS = ['view', 'click', 'purchase']

const names = identifiers()

/** The lines of the table that joins ads to campaigns: ad, tab, campaign. */
export function campaignsTable(): string {
  const { ads, campaigns } = names
  return ads.map((ad, i) => `${ad}\t${campaigns[Math.floor(i / ADS_A_CAMPAIGN)]}\n`).join('')
}

/** Batches of `records` events. */
export function adsBatches(records: number, seed: number): BatchBytes {
  return (index) => {
    const random = randomOf(2, seed, index)
    const pick = (from: readonly string[]) => from[below(random, from.length)]
    const { users, pages, ads } = names
    let text = ''
    for (let i = 0; i < records; i++) {
      const time = BASE_MS + index * 1_000 + Math.floor((i * 1_000) / records)
      const who = `"user_id":"${pick(users)}","page_id":"${pick(pages)}","ad_id":"${pick(ads)}"`
      const what = `"ad_type":"${pick(TYPES)}","event_type":"${pick(EVENTS)}"`
      const octets = [1 + below(random, 223), below(random, 256), below(random, 256)]
      const address = [...octets, below(random, 256)].join('.')
      text += `{${who},${what},"event_time":"${time}","ip_address":"${address}"}\n`
    }
    return Buffer.from(text, 'latin1')
  }
}

function identifiers() {
  const random = randomOf(88)
  const make = (count: number) => Array.from({ length: count }, () => uuid(random))
  const campaigns = make(CAMPAIGNS)
  const ads = make(ADS)
  const users = make(1_000)
  const pages = make(1_000)
  return { campaigns, ads, users, pages }
}
