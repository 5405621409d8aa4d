/**
 * The head version that each response names.
 */

import type { Client } from '../../shared/clients.ts';
import { flat } from '../../shared/flat.ts';
import { HEAD_STALE_MS } from '../../shared/limits/edge.ts';
import type { Snapshot } from '../../shared/screening/snapshot.ts';
import type { Reply } from '../http/reply.ts';

/** The head version that a response was computed from. */
export interface HeadVersion {
  readonly release: string | null;
  readonly seq: number;
  /** RFC 3339, in seconds; null if no head was ever read. */
  readonly asOf: string | null;
  readonly stale: boolean;
  /** Only in responses to a mock client. */
  readonly mock?: true;
}

/** The part of the client that a response reports. */
type Answered = Pick<Client, 'mock'>;
const REAL: Answered = { mock: false };

export function headVersion({ release, seq, asOf, now }: Snapshot, client = REAL): HeadVersion {
  const version = {
    release: release?.manifest.release ?? null,
    seq,
    asOf: asOf === 0 ? null : flat(new Date(asOf).toISOString().slice(0, 19), 'Z'),
    stale: now - asOf > HEAD_STALE_MS,
  };
  return client.mock ? { ...version, mock: true } : version;
}

/** The head version as headers, for responses in plain lines. */
export function addHeadHeaders(reply: Reply, snapshot: Snapshot, client: Answered): void {
  const { release, seq, asOf, stale } = headVersion(snapshot);
  reply.addHeaders({
    'numgate-release': release ?? '',
    'numgate-seq': String(seq),
    'numgate-as-of': asOf ?? '',
    'numgate-stale': String(stale),
    ...(client.mock ? { 'numgate-mock': 'true' } : {}),
  });
}
