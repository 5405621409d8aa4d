/** Reports the outcome of a change with `--break-glass`, so that the person who made it knows that it will revert. */
import type { BreakGlassDone } from '../shared/proposals.ts';
import { note } from './terminal/output.ts';

/** @param body of the request @returns the response, unchanged */
export function withBreakGlassNote<Value>(body: object, done: Value): Value {
  const { breakGlass, dryRun } = body as { readonly breakGlass?: boolean; readonly dryRun?: boolean };
  if (breakGlass !== true || dryRun === true) return done;
  const { breakGlass: made } = done as { readonly breakGlass?: BreakGlassDone };
  if (made === undefined) note('nothing had to wait for a second person: --break-glass had no effect\n');
  else {
    const { proposal, endsAt } = made;
    note(
      `the change was made at once, as proposal ${proposal}: it reverts at ${endsAt} unless another person reviews it\n` +
        `  to review it: npx numgate proposals show ${proposal}\n`,
    );
  }
  return done;
}
