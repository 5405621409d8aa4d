/**
 * `/v1/notices`: clients read the notices to their organisation, and answer guidance. The notices include those
 * that a webhook got, for as long as they are kept.
 */
import { ACKNOWLEDGEMENT_BYTES_MAX, NOTICES_PAGE_MAX } from '../../shared/limits/notices.ts';
import { acknowledgementSchema } from '../../shared/notices/acknowledgement.ts';
import { ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { Route } from '../http/app.ts';
import { readBody } from '../http/json-body.ts';
import { parametersOf } from '../http/parameters.ts';
import { type Problem, problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import { unknownNotice } from './acknowledgements.ts';
import { forNoticeClients, type NoticeContext } from './clients.ts';
import type { NoticeStore } from './notice-store.ts';

/** The methods of the store that clients call, as RPC calls. */
type NoticeReads = Pick<NoticeStore, 'page' | 'notice' | 'acknowledge'>;

const listNotices = forNoticeClients(async (context) => {
  const parameters = parametersOf(context.url, { after: 'number', limit: 'number' });
  if (!parameters.ok) return parameters;
  const { after = 0, limit = NOTICES_PAGE_MAX } = parameters.value.number;
  const page = await storeOf(context)
    .page(after, Math.max(1, Math.min(limit, NOTICES_PAGE_MAX)))
    .then(ok, unavailable);
  return page.ok ? context.reply.json(page.value) : page;
});

const getNotice = forNoticeClients(async (context) => {
  const version = versionOf(context);
  if (version === null) return unknownNotice();
  const notice = await storeOf(context).notice(version).catch(unavailable);
  return notice.ok ? context.reply.json(notice.value) : notice;
});

const acknowledgeNotice = forNoticeClients(async (context) => {
  const read = await readBody(context, acknowledgementSchema, ACKNOWLEDGEMENT_BYTES_MAX);
  if (!read.ok) return read;
  const version = versionOf(context);
  if (version === null) return unknownNotice();
  const { id, mock: isMock } = context.client;
  const done: Result<object, Problem> = await storeOf(context)
    .acknowledge(version, read.value.body, { client: id, isMock })
    .catch(unavailable);
  return done.ok ? context.reply.json(done.value) : done;
});

/** The version in the path; null if it is not valid. */
function versionOf({ params }: NoticeContext): number | null {
  return /^[1-9]\d{0,14}$/.test(params.version!) ? Number(params.version) : null;
}

function storeOf({ env, client }: NoticeContext): NoticeReads {
  return (env as unknown as ControlEnv).NOTICES.getByName(client.organisation) as unknown as NoticeReads;
}

function unavailable(error: unknown): Problem {
  warnFailed('noticesNotRead', error);
  return problem('UNAVAILABLE', 'the store of notices does not respond: try again');
}

export const NOTICE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/notices', handle: listNotices },
  { method: 'GET', path: '/v1/notices/:version', handle: getNotice },
  { method: 'POST', path: '/v1/notices/:version/acknowledge', handle: acknowledgeNotice },
];
