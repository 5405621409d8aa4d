/**
 * `POST /v1/admin/evidence-files`: everything about one sender in a period, signed. With `Accept: application/x-ndjson`
 * the response shows the progress, line by line, and ends with the file.
 */
import {
  type EvidenceLine,
  type EvidenceMade,
  type EvidenceProgress,
  makeEvidenceSchema,
} from '../../shared/admin/evidence-files.ts';
import { utf8 } from '../../shared/bytes.ts';
import { ok } from '../../shared/result.ts';
import type { Waiting } from '../coordinator/change-request.ts';
import type { ControlEnv } from '../env.ts';
import { makeEvidence } from '../evidence-files/make.ts';
import { evidenceRequest } from '../evidence-files/request.ts';
import { PROBLEMS } from '../http/all-problems.ts';
import type { Answer } from '../http/app.ts';
import { type Problem, problem, type Reply } from '../http/reply.ts';
import { logBug } from '../log.ts';
import { forChanges } from './context.ts';

type Progress = (progress: EvidenceProgress) => void;
/** Makes the file, or returns why it cannot be made. */
type Make = (progress: Progress) => ReturnType<typeof makeEvidence>;

const NDJSON = 'application/x-ndjson';

export const makeEvidenceFile = forChanges(
  'evidence',
  makeEvidenceSchema,
  async (context) => {
    const wanted = evidenceRequest(context.body, Date.now());
    if (!wanted.ok) return wanted;
    const { coordinator, change, request } = context;
    const env = context.env as unknown as ControlEnv;
    const make: Make = (progress) => makeEvidence(wanted.value, change, coordinator, env, progress);
    const accept = request.headers.get('accept') ?? '';
    if (accept.includes(NDJSON)) return ok(linesOf(make, context.ctx));
    return make(() => undefined);
  },
  { send: sendMade },
);

function sendMade(reply: Reply, made: EvidenceMade | ReadableStream<Uint8Array>): Answer {
  return made instanceof ReadableStream ? reply.stream(made, NDJSON) : reply.json(made);
}

/** Streams progress lines while the file is made. If the client stops reading, the file is still made. */
function linesOf(make: Make, ctx: ExecutionContext): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  // The write fails if the client no longer reads.
  const write = (line: EvidenceLine): Promise<void> =>
    writer.write(utf8(`${JSON.stringify(line)}\n`)).catch(() => undefined);
  const run = async (): Promise<void> => {
    const made = await make((progress) => void write({ progress })).catch((error: unknown) => {
      logBug(error, 'evidence');
      return problem('INTERNAL', 'the service failed');
    });
    await write(made.ok ? { evidenceFile: made.value } : { error: errorOf(made) });
    await writer.close().catch(() => undefined);
  };
  ctx.waitUntil(run());
  return readable;
}

function errorOf({ code, message }: Problem | Waiting): Extract<EvidenceLine, { error: object }>['error'] {
  return { status: PROBLEMS[code as Problem['code']]?.[0] ?? 409, code, message };
}
