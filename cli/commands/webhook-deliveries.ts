/** `numgate webhooks deliveries`: lists the deliveries of notices to a webhook, with their results. */
import { type Command, Option } from 'commander';
import {
  DELIVERY_STATES,
  type DeliveryInfo,
  type DeliveryPage,
  type DeliveryState,
} from '../../shared/admin/webhooks.ts';
import { DELIVERIES_PAGE_MAX } from '../../shared/limits/notices.ts';
import { adminOfEnvironment } from '../admin.ts';
import { print } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { examples, positiveNumber } from './options.ts';
import { type OrganisationOption, organisationPath } from './organisation-option.ts';

interface DeliveriesOptions extends OrganisationOption {
  readonly state?: DeliveryState;
  readonly limit: number;
}

/** @param command with the option for the organisation */
export function addDeliveries(command: Command): void {
  command
    .description('list the deliveries to a webhook, newest first')
    .argument('<id>', 'as list shows it')
    .addOption(new Option('--state <state>', 'only deliveries in this state').choices(DELIVERY_STATES))
    .option('--limit <rows>', 'maximum number of rows', positiveNumber, 50)
    .addHelpText('after', examples('webhooks deliveries 0a1b2c3d4e5f --state failed --organisation acme'))
    .action(async (id: string, { organisation, state, limit }: DeliveriesOptions) => {
      const path = `${organisationPath(organisation)}/webhooks/${encodeURIComponent(id)}/deliveries`;
      const found: DeliveryInfo[] = [];
      let next: number | null = null;
      do {
        const page: DeliveryPage = await adminOfEnvironment().get<DeliveryPage>(path, {
          ...(state === undefined ? {} : { state }),
          ...(next === null ? {} : { before: next }),
          limit: Math.min(limit - found.length, DELIVERIES_PAGE_MAX),
        });
        found.push(...page.deliveries);
        next = page.next;
      } while (next !== null && found.length < limit);
      const more = next === null ? '' : 'there are more deliveries: raise --limit to see them\n';
      const none = state === undefined ? 'nothing was sent yet\n' : `no delivery is ${state}\n`;
      print(found.length === 0 ? none : formatDeliveries(found) + more, { deliveries: found, next });
    });
}

const NAMES = ['webhook', 'notice#', 'type', 'state', 'attempts#', 'last attempt', 'status', 'error'];

export function formatDeliveries(deliveries: readonly DeliveryInfo[]): string {
  const rows = deliveries.map(({ webhook, version, type, state, attempts, log }) => {
    const last = log.at(-1);
    const result = [last?.at ?? '', String(last?.status ?? ''), last?.error ?? ''];
    return [webhook, version, type ?? '', state, attempts, ...result];
  });
  return formatTable(NAMES, rows);
}
