/**
 * `POST /v1/admin/rules/rehearse`: what a rule would have done with the kept reports, in pages. Numbers are unsealed only
 * to find their kind.
 */
import { type RehearsalPage, type RehearsedSenders, rehearseSchema } from '../../shared/admin/rules.ts';
import { fieldError } from '../../shared/fields.ts';
import { ADMIN_BODY_BYTES_MAX } from '../../shared/limits/control.ts';
import { REPORT_SHARDS } from '../../shared/limits/intake.ts';
import { REHEARSED_REPORTS_PER_PAGE } from '../../shared/limits/reports.ts';
import { senderKind } from '../../shared/policy/facts.ts';
import { rehearse } from '../../shared/reports/rehearse.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import { ReportKeys } from '../../shared/reports/report-keys.ts';
import { type Rule, targetOf } from '../../shared/reports/rule.ts';
import { ok } from '../../shared/result.ts';
import { isTestNumber } from '../../shared/test-numbers.ts';
import type { ControlEnv } from '../env.ts';
import { readBody } from '../http/json-body.ts';
import { problem } from '../http/reply.ts';
import { warnFailed } from '../log.ts';
import type { PastBlock, ScanPage } from '../storage/rehearsal-port.ts';
import { RESPONSE_NAME } from '../storage/response-port.ts';
import { forAdmins } from './context.ts';

/** A cursor: the shard of SubjectCounts, and the keyed subject after which the page begins. */
const CURSOR = /^(\d{1,2})\/([A-Za-z0-9_-]{0,22})$/;

export const rehearseRule = forAdmins('rules', async (context) => {
  const read = await readBody(context, rehearseSchema, ADMIN_BODY_BYTES_MAX);
  if (!read.ok) return read;
  const { rule: settings, since, after } = read.value.body;
  const [, shard, subject = ''] = CURSOR.exec(after ?? '0/') ?? [];
  if (shard === undefined || Number(shard) >= REPORT_SHARDS) {
    return fieldError('FIELD_VALUE', 'after', 'must be the "next" value of a page');
  }
  // A rule that is "off" would never fire.
  const rule: Rule = { ...settings, id: 'rehearsal', version: 0, state: 'active' };
  const from = since === null ? 0 : Date.parse(since);
  if (from > Date.now()) return fieldError('FIELD_VALUE', 'since', 'must not be in the future');
  const found = await load(context.env as unknown as ControlEnv, rule, { shard, subject, from }).catch(
    (error: unknown) => warnFailed('rehearsalFailed', error),
  );
  if (found === undefined) {
    return problem('UNAVAILABLE', 'the counts of reports or the desk do not respond: try again');
  }
  const next = nextOf(Number(shard), found.page);
  return ok<RehearsalPage>({
    ...(await rehearsed(rule, found)),
    progress: next === null ? 1 : Number(next.split('/')[0]) / REPORT_SHARDS,
    next,
  });
});

/** The data for one page. */
interface Found {
  readonly page: ScanPage;
  readonly keys: ReportKeys;
  readonly blocks: Readonly<Record<string, PastBlock>>;
  readonly weights: ReadonlyMap<string, number>;
}

async function load(
  { SUBJECTS, RESPONSE }: ControlEnv,
  rule: Rule,
  { shard, subject, from }: { readonly shard: string; readonly subject: string; readonly from: number },
): Promise<Found> {
  const { distinct } = rule;
  const desk = RESPONSE.getByName(RESPONSE_NAME);
  const page = await SUBJECTS.getByName(shard).scan(
    ...[subject, REHEARSED_REPORTS_PER_PAGE, from, distinct, targetOf(rule)],
  );
  const subjects = page.subjects.map(({ subject }) => subject);
  const [secret, blocks, { weights }] = await Promise.all([
    desk.reportKey(),
    desk.pastBlocks(subjects, from),
    desk.context(),
  ]);
  return { page, keys: await ReportKeys.open(secret), blocks, weights: new Map(Object.entries(weights)) };
}

function nextOf(shard: number, { next }: ScanPage): string | null {
  if (next !== null) return `${shard}/${next}`;
  return shard + 1 < REPORT_SHARDS ? `${shard + 1}/` : null;
}

async function rehearsed(
  rule: Rule,
  { page: { subjects }, keys, blocks, weights }: Found,
): Promise<Omit<RehearsalPage, 'progress' | 'next'>> {
  const senders = new Map<RehearsedSenders['sender'], RehearsedSenders>();
  const blockedBy: Record<string, number> = {};
  let [read, reports, unreadable] = [0, 0, 0];
  for (const { subject, seal, resetAt, reports: given } of subjects) {
    const party = await keys.unseal(seal);
    if (party === null) unreadable++;
    if (party === null || isMock(party)) continue;
    read++;
    reports += given.length;
    const fires = rehearse(rule, given, weights, resetAt) !== null;
    const past = blocks[subject];
    if (!fires && past === undefined) continue;
    const sender = kindOf(party);
    const before = senders.get(sender) ?? { sender, fires: 0, blocked: 0, appealed: 0, missed: 0 };
    senders.set(sender, {
      sender,
      fires: before.fires + Number(fires),
      blocked: before.blocked + Number(fires && past !== undefined),
      appealed: before.appealed + Number(fires && past?.appealed === true),
      missed: before.missed + Number(!fires),
    });
    if (!fires) continue;
    const ids = new Set((past?.rules ?? []).map((ref) => ref.split('@')[0]!));
    for (const id of ids) blockedBy[id] = (blockedBy[id] ?? 0) + 1;
  }
  return { subjects: read, reports, senders: [...senders.values()], blockedBy, unreadable };
}

function kindOf(party: ReportSubject): RehearsedSenders['sender'] {
  if (party.kind === 'campaign') return 'campaign';
  return senderKind(party.kind === 'number' ? { ...party, carrierPrefix: null } : party);
}

/** Reports of mock partners never decide anything real. */
function isMock(party: ReportSubject): boolean {
  return party.kind === 'number' && isTestNumber(party.n);
}
