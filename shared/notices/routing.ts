/**
 * Turns one event of the feed into notices, and decides who gets them. Pure: the router reads the input, and stores the
 * result in one transaction.
 *
 * The organisations that have registered a blocked sender get a notice of the block and of each change. If the sender was
 * reported, operators also get guidance once, for the subscribers who heard from it, and the operator of its owner gets a
 * notice for the owner. When the block ends, everyone who learned of it gets one notice of its end.
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

/** A blocked sender, with the organisations that have learned of the block. */
export interface RoutedSender extends NoticeSender {
  /** The fields of the block, from `stateOf`. It changes if the block changes. */
  readonly state: string;
  /** IDs of organisations. */
  readonly registered: readonly string[];
  readonly owners: readonly string[];
  readonly guided: readonly string[];
}

/** The reports about a sender, in summary. Times are in ms since 1970. */
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
  /** Null if nobody has reported the sender, or if the reports cannot be read. */
  readonly reports: ReportFacts | null;
  /** Whether an operator may get one more notice for its subscribers today. Each yes is counted. */
  charge(operator: string): boolean;
}

export interface Routed {
  /** The row to store; null to remove the row. */
  readonly row: RoutedSender | null;
  /** Notices with their receivers. */
  readonly notices: readonly (readonly [organisation: string, notice: NewNotice])[];
}

/** Whether the entry blocks or labels a sender. Other effects concern nobody. */
function blocks({ effect }: PartyEntry): boolean {
  return effect === 'block' || effect === 'label';
}

/** Whether people need to hear about a sender, because it was blocked after reports. */
function isReported({ effect, rule, code }: PartyEntry): boolean {
  return effect === 'block' && (rule !== null || code === 'SENDER_REPORTED');
}

/** Whether the facts must be read for this event. @param known the stored row of the sender */
export function needsFacts({ entry }: PartyEvent, known: RoutedSender | null): boolean {
  if (entry === null || entry.subject !== 'from') return false;
  if (entry.effect === 'allow') return known === null;
  return blocks(entry) && known?.state !== stateOf(entry);
}

/** Whether the reports must be read for this event, because guidance would mention them. */
export function needsReports({ entry }: PartyEvent, known: RoutedSender | null): boolean {
  return entry !== null && isReported(entry) && (known === null || known.guided.length === 0);
}

/** @param facts null only if `needsFacts` returns false @param feed ID of the feed, or of its reading */
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

/** Returns the fields of the block that notices contain. If they stay the same, no notice is needed. */
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
      // The authority that made the entry knows of the block already.
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
  // Without receivers, nobody needs a notice of the end.
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

/** Rounds to whole hours. Operators know when subscribers got a text, so an exact time would reveal the reporter. */
function hourAt(at: number, later: 0 | 1): string {
  return new Date((Math.floor(at / HOUR_MS) + later) * HOUR_MS).toISOString();
}
