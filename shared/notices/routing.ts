/**
 * From one event of the feed to notices: who gets which. Pure: the router reads what this needs, and stores what it
 * returns in one transaction.
 *
 * A sender that is blocked is told to the organisations that have registered it, with each change of the block. If it was
 * reported, operators also get guidance for those who heard from it, once, and the operator of its owner a notice for the
 * owner. When the block ends, everyone who learned of it gets one notice of that.
 */
import type { PartyEntry, PartyEvent } from '../feed/entry.ts';
import { GUIDANCE_RESPOND_MS } from '../limits/notice-sources.ts';
import type { SpamKind } from '../reports/report.ts';
import type { Channel } from '../request.ts';
import { HOUR_MS } from '../time.ts';
import type { GuidanceData, NoticeSender, SenderBlockedData, SenderUnblockedData } from './data.ts';
import type { NewNotice } from './notice.ts';
import { type NotifiedOperator, ownersOperators } from './operators.ts';
import { guidanceTexts } from './texts.ts';

/** Who has learned of a block that is in force, and what of it. */
export interface RoutedSender extends NoticeSender {
  /** Changes if the block does. */
  readonly state: string;
  /** IDs of organisations. */
  readonly registered: readonly string[];
  readonly owners: readonly string[];
  readonly guided: readonly string[];
}

/** What was reported about a sender. Times in ms since 1970. */
export interface ReportFacts {
  readonly channel: Channel;
  readonly kind: SpamKind;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface RoutingFacts {
  /** Organisations that have registered the number. */
  readonly registered: readonly string[];
  readonly operators: readonly NotifiedOperator[];
  /** Null if nobody has reported it, or that cannot be read. */
  readonly reports: ReportFacts | null;
  /** Whether an operator may get one more notice for its subscribers today. A yes counts. */
  charge(operator: string): boolean;
}

export interface Routed {
  /** To store; null to remove it. */
  readonly row: RoutedSender | null;
  /** By receiver. */
  readonly notices: readonly (readonly [organisation: string, notice: NewNotice])[];
}

/** Whether the entry blocks or labels a sender: only that concerns anybody. */
function blocks({ effect }: PartyEntry): boolean {
  return effect === 'block' || effect === 'label';
}

/** Whether people should be told about a sender: it was blocked because they reported it. */
function isReported({ effect, rule, code }: PartyEntry): boolean {
  return effect === 'block' && (rule !== null || code === 'SENDER_REPORTED');
}

/** Whether the facts must be read for this event. @param known what is stored of the sender */
export function needsFacts({ entry }: PartyEvent, known: RoutedSender | null): boolean {
  if (entry === null || entry.subject !== 'from') return false;
  if (entry.effect === 'allow') return known === null;
  return blocks(entry) && known?.state !== stateOf(entry);
}

/** Whether guidance would say what was reported. */
export function needsReports({ entry }: PartyEvent, known: RoutedSender | null): boolean {
  return entry !== null && isReported(entry) && (known === null || known.guided.length === 0);
}

/** @param facts null only if `needsFacts` says no @param feed ID of the feed, or of its reading */
export function routeEvent(
  event: PartyEvent,
  known: RoutedSender | null,
  facts: RoutingFacts | null,
  feed: string,
): Routed {
  const { entry } = event;
  if (entry !== null && entry.subject !== 'from') return { row: known, notices: [] };
  const make = noticesOf(event, feed);
  if (entry === null || !blocks(entry)) {
    const isLifted = entry?.effect === 'allow';
    if (known !== null) return { row: null, notices: unblocked(known, isLifted, make) };
    const registered = isLifted ? (facts?.registered ?? []) : [];
    const sender = { number: entry?.number ?? null, source: entry?.source ?? null };
    return {
      row: null,
      notices: unblocked({ ...sender, state: '', registered, owners: [], guided: [] }, isLifted, make),
    };
  }
  if (facts === null || known?.state === stateOf(entry)) return { row: known, notices: [] };
  return blocked(event, entry, known, facts, make);
}

/** What a notice says of the block: if that stays the same, there is nothing to say. */
function stateOf({ effect, code, authority, rule, stage, until }: PartyEntry): string {
  return JSON.stringify([effect, code, authority, rule, stage, until]);
}

type Make = (
  type: NewNotice['type'],
  data: SenderBlockedData | SenderUnblockedData | GuidanceData,
  respondBy?: number,
) => NewNotice;

function noticesOf({ reference, position, at }: PartyEvent, feed: string): Make {
  return (type, data, respondBy) => ({
    ...{ key: `${type} ${feed}.${position}`, type, at: Date.parse(at), subject: reference },
    ...{ data: { ...data }, mock: false, respondBy: respondBy ?? null },
  });
}

function unblocked(
  { number, source, registered, owners, guided }: RoutedSender,
  isLifted: boolean,
  make: Make,
): Routed['notices'] {
  const data: SenderUnblockedData = { number, source, isLifted };
  const senders = [...new Set([...registered, ...guided])];
  return [
    ...senders.map((id) => [id, make('sender.unblocked', data)] as const),
    ...owners.map((id) => [id, make('owner.unblocked', data)] as const),
  ];
}

function blocked(
  { reference, at }: PartyEvent,
  entry: PartyEntry,
  known: RoutedSender | null,
  { registered, operators, reports, charge }: RoutingFacts,
  make: Make,
): Routed {
  const { number, source, effect, code, authority, list, rule, stage, until } = entry;
  const data: SenderBlockedData = {
    ...{ number, source, effect: effect as SenderBlockedData['effect'], code, authority, list },
    ...{ rule, stage, until },
  };
  const receivers = [...new Set([...(known?.registered ?? []), ...registered])];
  const notices: [string, NewNotice][] = receivers.map((id) => [id, make('sender.blocked', data)]);
  let [owners, guided] = [known?.owners ?? [], known?.guided ?? []];
  if (isReported(entry) && guided.length === 0 && owners.length === 0) {
    owners = ownersOperators(number, operators).flatMap((operator) => {
      // Whoever made the entry knows of it.
      return operator.authority !== authority && charge(operator.id) ? [operator.id] : [];
    });
    notices.push(...owners.map((id): [string, NewNotice] => [id, make('owner.blocked', data)]));
    guided = operators.flatMap(({ id }) => (charge(id) ? [id] : []));
    const guidance = guidanceOf(entry, reference, Date.parse(at), reports);
    const respondBy = Date.parse(guidance.respondBy);
    notices.push(
      ...guided.map((id): [string, NewNotice] => [id, make('recipients.guidance', guidance, respondBy)]),
    );
  }
  // Nobody would be told when it ends.
  const isKept = receivers.length + owners.length + guided.length > 0;
  const row = { number, source, state: stateOf(entry), registered: receivers, owners, guided };
  return { row: isKept ? row : null, notices };
}

function guidanceOf(
  { number, source, code }: PartyEntry,
  reference: string,
  at: number,
  reports: ReportFacts | null,
): GuidanceData {
  const [channel, kind] = [reports?.channel ?? null, reports?.kind ?? null];
  return {
    ...{ number, source, channel, kind, code: code ?? '', reference, texts: guidanceTexts(channel, kind) },
    firstSeenAt: reports === null ? null : hourAt(reports.firstAt, 0),
    lastSeenAt: reports === null ? null : hourAt(reports.lastAt, 1),
    respondBy: new Date(at + GUIDANCE_RESPOND_MS).toISOString(),
  };
}

/** Whole hours: an operator knows when its subscribers got a text, so an exact time would name the one who reported it. */
function hourAt(at: number, later: 0 | 1): string {
  return new Date((Math.floor(at / HOUR_MS) + later) * HOUR_MS).toISOString();
}
