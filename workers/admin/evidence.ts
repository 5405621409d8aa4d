/**
 * Evidence that others can keep: checkpoints of the audit log, and proofs. `GET /v1/audit/checkpoint` is public. It
 * reads one value of KV, so that nobody can put load on the coordinator through it.
 */
import { fieldError } from '../../shared/fields.ts';
import { CHECKPOINT_BYTES_MAX } from '../../shared/limits/control.ts';
import { KV_MUTABLE_TTL_SECONDS } from '../../shared/limits/edge.ts';
import { AUDIT_CHECKPOINT_KEY } from '../../shared/release/kv-keys.ts';
import { ok } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { Handler } from '../http/app.ts';
import { parametersOf } from '../http/parameters.ts';
import { problem } from '../http/reply.ts';
import { readFresh } from '../storage/kv-values.ts';
import { forAdmins, pageLimit } from './context.ts';

/** The newest checkpoint, as text. It reveals only how many records the log has. */
export const checkpoint: Handler = async ({ reply, env }) => {
  const bytes = await readFresh(AUDIT_CHECKPOINT_KEY, CHECKPOINT_BYTES_MAX, env.LISTS).catch(() => undefined);
  if (bytes === undefined) return problem('UNAVAILABLE', 'Workers KV does not respond; try again');
  if (bytes !== null && bytes.length <= CHECKPOINT_BYTES_MAX) {
    reply.header('cache-control', `public, max-age=${KV_MUTABLE_TTL_SECONDS}`);
    return reply.note(bytes);
  }
  if (!(env as unknown as ControlEnv).CHECKPOINT_KEY) {
    const remedy =
      'make one with npx numgate audit key --new, and set it with wrangler secret put CHECKPOINT_KEY';
    return problem('NOT_CONFIGURED', `CHECKPOINT_KEY is not set, so there are no checkpoints: ${remedy}`);
  }
  return problem(
    'CHECKPOINT_UNKNOWN',
    'there is no checkpoint yet: the first one is made within minutes of a change',
  );
};

/** Earlier checkpoints, as NDJSON. An empty page is the end. */
export const checkpoints = forAdmins(
  'read',
  async ({ url, coordinator }) => {
    const parameters = parametersOf(url, { after: 'number', limit: 'number' });
    if (!parameters.ok) return parameters;
    const { after = 0, limit } = parameters.value.number;
    return ok(await coordinator.checkpoints(after, pageLimit(limit)));
  },
  (reply, lines) => reply.ndjson(lines),
);

/** `?n=&size=` proves that a record is in a tree; `?from=&to=` proves that a tree is the beginning of a later tree. */
export const proof = forAdmins<object>('read', async ({ url, coordinator }) => {
  const parameters = parametersOf(url, { n: 'number', size: 'number', from: 'number', to: 'number' });
  if (!parameters.ok) return parameters;
  const { n, size, from, to } = parameters.value.number;
  if (n !== undefined && from === undefined && to === undefined) return coordinator.inclusion(n, size);
  if (from !== undefined && n === undefined && size === undefined) return coordinator.consistency(from, to);
  const [field, message] =
    n === undefined && from === undefined
      ? ['n', 'or "from" is required: send the number of a record, or the size of a checkpoint']
      : ['n', 'can be combined only with "size", and "from" only with "to"'];
  return fieldError(
    n === undefined && from === undefined ? 'FIELD_MISSING' : 'FIELD_CONTRADICTION',
    field,
    message,
  );
});
