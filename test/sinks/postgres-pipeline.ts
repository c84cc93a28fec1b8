// A pipeline that writes to PostgreSQL from its workers.

import type { DStream, StreamingContext } from 'millrace'
import { postgres } from 'millrace/sinks/postgres'

/** Where it writes. */
export interface Where {
  readonly connection: string
  readonly table: string
  readonly bookkeeping: string
}

type Pairs = DStream<[string, number]>

export default function build(ssc: StreamingContext, where: Where, pairs: Pairs): Pairs {
  void ssc
  pairs.writeTo(postgres({ ...where, columns: { word: ([word]) => word, n: ([, n]) => n } }))
  return pairs
}
