/** Packs the fields of a report that have few values into one integer. Their lists of values are only ever appended to. */
import { REPORT_ORIGINS, REPORT_ROUTES, SPAM_KINDS } from '../../shared/reports/report.ts';
import { CHANNELS } from '../../shared/request.ts';
import type { KeptReport } from '../storage/reports-port.ts';

export type Traits = Pick<KeptReport, 'channel' | 'spam' | 'origin' | 'route'>;

/** Bits, from the lowest: 2 for the channel, 2 for the origin, 4 for the route (0 for none), 8 for the kind of spam. */
export function packTraits({ channel, spam, origin, route }: Traits): number {
  return (
    CHANNELS.indexOf(channel) |
    (REPORT_ORIGINS.indexOf(origin) << 2) |
    ((route === null ? 0 : REPORT_ROUTES.indexOf(route) + 1) << 4) |
    (SPAM_KINDS.indexOf(spam) << 8)
  );
}

export function unpackTraits(traits: number): Traits {
  return {
    channel: CHANNELS[traits & 3]!,
    origin: REPORT_ORIGINS[(traits >> 2) & 3]!,
    route: REPORT_ROUTES[((traits >> 4) & 15) - 1] ?? null,
    spam: SPAM_KINDS[(traits >> 8) & 255]!,
  };
}
