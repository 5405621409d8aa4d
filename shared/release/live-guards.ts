/**
 * Guards of live changes, like those of pushes (guards.ts): bounds that ordinary work does not reach. The
 * coordinator counts the figures inside the transaction of the change, so concurrent changes cannot pass together.
 */

import type { GuardHit, GuardSettings, LiveGuard } from './guard-settings.ts';
import { counted } from './guards.ts';

/** Blocking this many numbers of an operator is no sign of a mistake, whatever share they are. */
export const OPERATOR_NUMBERS_MIN = 1_000;

/** The effects of a change, given the live entries and the changes of its authority in this hour. Counts are of
 * numbers and sources. */
export interface LiveFigures {
  /** Whether the change unblocks or clears. */
  readonly lifts: boolean;
  readonly items: number;
  /** Earlier in this hour: all items, and those of `unblock` and `clear`. */
  readonly hour: { readonly items: number; readonly unblocks: number };
  /** Protected numbers that the change blocks, and the index of the first one in the request. */
  readonly guarded: { readonly numbers: number; readonly first: number };
  /** Blocks of 10,000 Korean numbers in use that the change adds to, and that are at least 90 % blocked afterwards. */
  readonly wholeBlocks: number;
  /** Operators of newly blocked numbers: how many of their numbers are blocked afterwards, and how many they have. */
  readonly operators: readonly {
    readonly operator: string;
    readonly blocked: number;
    readonly numbers: number;
  }[];
}

/** Whether this many blocked numbers are too many for an operator. */
export function exceedsShare(blocked: number, numbers: number, share: number): boolean {
  return blocked > Math.max(OPERATOR_NUMBERS_MIN, share * numbers);
}

/** Hits in the order of LIVE_GUARDS. */
export function checkLiveGuards(figures: LiveFigures, settings: GuardSettings): GuardHit[] {
  const { lifts, items, hour, guarded, wholeBlocks, operators } = figures;
  const { operationItems, hourlyItems, hourlyUnblocks, operatorShare } = settings;
  const hits: GuardHit[] = [];
  const add = (guard: LiveGuard, message: string, values: GuardHit['figures']): void => {
    hits.push({ guard, list: null, message, figures: values, override: guard });
  };
  if (guarded.numbers > 0) {
    const message = `would block ${counted(guarded.numbers)} protected number${guarded.numbers === 1 ? '' : 's'}, the first is "items[${guarded.first}]"`;
    add('protected-number', message, { numbers: guarded.numbers, first: guarded.first });
  }
  if (wholeBlocks > 0) {
    const blocks = `${counted(wholeBlocks)} block${wholeBlocks === 1 ? '' : 's'}`;
    const message = `would leave at least 90 % of ${blocks} of 10,000 Korean numbers in use blocked, together with the existing live entries`;
    add('whole-block', message, { blocks: wholeBlocks });
  }
  if (items > operationItems) {
    const message = `would change ${counted(items)} numbers and sources at once, more than ${counted(operationItems)}`;
    add('large-operation', message, { items, most: operationItems });
  }
  const inHour = (before: number, what: string, most: number): string =>
    `would ${what} ${counted(before + items)} numbers and sources of your authority in this hour, more than ${counted(most)}`;
  if (hour.items + items > hourlyItems) {
    const message = inHour(hour.items, 'change', hourlyItems);
    add('hourly-items', message, { items, before: hour.items, most: hourlyItems });
  }
  if (lifts && hour.unblocks + items > hourlyUnblocks) {
    const message = inHour(hour.unblocks, 'unblock or clear', hourlyUnblocks);
    add('hourly-unblocks', message, { items, before: hour.unblocks, most: hourlyUnblocks });
  }
  for (const { operator, blocked, numbers } of operators) {
    if (!exceedsShare(blocked, numbers, operatorShare)) continue;
    const percent = Number((operatorShare * 100).toFixed(4));
    const message = `would leave ${counted(blocked)} of ${counted(numbers)} numbers of "${operator}" blocked by live entries, more than ${percent} %`;
    add('operator-share', message, { operator, blocked, numbers, share: operatorShare });
  }
  return hits;
}
