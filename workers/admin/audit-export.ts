/**
 * Exports the audit log to the bucket AUDIT_EXPORT, and by POST to AUDIT_SINK_URL. Runs in the cron, outside the
 * coordinator, so that a hanging sink delays nothing. Each piece has a name, and is written once.
 */

import { sha256Hex, toHex } from '../../shared/bytes.ts';
import type { Sink } from '../../shared/evidence.ts';
import { EXPORT_PIECES_AT_ONCE, EXPORT_RUN_MS, EXPORT_WAIT_MS } from '../../shared/limits/control.ts';
import type { ExportPiece } from '../coordinator/audit-exports.ts';
import type { ControlEnv } from '../env.ts';
import { warn } from '../log.ts';
import type { CoordinatorStub } from './coordinator-stub.ts';

/** Sends one piece. @returns null, or the reason for the failure, without the URL or the token */
type Send = (piece: ExportPiece) => Promise<string | null>;

type SinkEnv = Pick<ControlEnv, 'AUDIT_EXPORT' | 'AUDIT_SINK_URL' | 'AUDIT_SINK_TOKEN'>;
type Exports = Pick<CoordinatorStub, 'setExportSinks' | 'nextExport' | 'endExport'>;

export async function exportAudit(env: SinkEnv, coordinator: Exports): Promise<void> {
  const sinks = new Map<Sink, Send>();
  if (env.AUDIT_EXPORT !== undefined) sinks.set('r2', intoBucket(env.AUDIT_EXPORT));
  if (env.AUDIT_SINK_URL) sinks.set('https', byPost(env.AUDIT_SINK_URL, env.AUDIT_SINK_TOKEN));
  await coordinator.setExportSinks([...sinks.keys()]);
  const end = Date.now() + EXPORT_RUN_MS;
  await Promise.all([...sinks].map(([sink, send]) => exportTo(sink, send, coordinator, end)));
}

async function exportTo(sink: Sink, send: Send, coordinator: Exports, end: number): Promise<void> {
  for (let sent = 0; sent < EXPORT_PIECES_AT_ONCE && Date.now() < end; sent++) {
    const piece = await coordinator.nextExport(sink);
    if (piece === null) return;
    const error = await send(piece).catch(describeError);
    await coordinator.endExport(sink, piece, error);
    if (error === null) continue;
    warn('auditExportFailed', { sink, error });
    return;
  }
}

/** Describes an error of fetch or R2. The error's own message is not used, because it may quote the URL. */
function describeError(error: unknown): string {
  return error instanceof Error && error.name === 'TimeoutError' ? 'no response in time' : 'not reachable';
}

function typeOf({ kind }: ExportPiece): string {
  return kind === 'records' ? 'application/x-ndjson' : 'text/plain; charset=utf-8';
}

function intoBucket(bucket: R2Bucket): Send {
  return async (piece) => {
    const sha256 = await sha256Hex(piece.text);
    const put = await bucket.put(piece.name, piece.text, {
      onlyIf: new Headers({ 'if-none-match': '*' }),
      ...{ sha256, httpMetadata: { contentType: typeOf(piece) } },
    });
    if (put !== null) return null;
    // An earlier attempt may have written this piece.
    const known = (await bucket.head(piece.name))?.checksums.sha256;
    if (known !== undefined && toHex(new Uint8Array(known)) === sha256) return null;
    return 'the bucket has another object under the same name: use a new bucket, and keep this one';
  };
}

/** The only hosts that the log may reach without encryption: those of this machine. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

function byPost(address: string, token: string | undefined): Send {
  const url = URL.canParse(address) ? new URL(address) : null;
  const isAllowed =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.includes(url.hostname));
  if (url === null || !isAllowed || url.username !== '' || url.password !== '')
    return async () =>
      'AUDIT_SINK_URL must be an https: URL without a user name; set a token in AUDIT_SINK_TOKEN';
  return async (piece) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': typeOf(piece),
        'idempotency-key': piece.name,
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: piece.text,
      // Following a redirect could send the token to another server.
      redirect: 'manual',
      signal: AbortSignal.timeout(EXPORT_WAIT_MS),
    });
    await response.body?.cancel();
    return response.ok ? null : `the server returned ${response.status}`;
  };
}
