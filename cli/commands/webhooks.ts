/** `numgate webhooks`: where the notices to an organisation go. The secret of a webhook is printed once. */
import { type Command, Option } from 'commander';
import {
  type DeliveryInfo,
  type Replayed,
  WEBHOOK_TYPES,
  type WebhookInfo,
  type WebhookSecret,
} from '../../shared/admin/webhooks.ts';
import type { Organisation } from '../../shared/organisations.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { print, type Report, writeLine } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { auditLines } from './audit-lines.ts';
import {
  addReasonOption,
  commaList,
  examples,
  NONE,
  positiveNumber,
  requireReason,
  wholeNumber,
} from './options.ts';
import { addOrganisationOption, type OrganisationOption, organisationPath } from './organisation-option.ts';
import { time } from './registration-options.ts';
import { addDeliveries, formatDeliveries } from './webhook-deliveries.ts';

type ChangeOptions = OrganisationOption & { readonly reason: string };

interface AddOptions extends ChangeOptions {
  readonly types?: readonly string[];
}

interface ReplayOptions extends ChangeOptions {
  readonly notice?: number;
  readonly since?: string;
}

export function addWebhooks(program: Command): void {
  const webhooks = program
    .command('webhooks')
    .description('manage the webhooks that receive the notices to an organisation (scope: notices)');
  const command = (name: string): Command => addOrganisationOption(webhooks.command(name), 'webhooks');

  command('list')
    .description('list the webhooks of an organisation')
    .addHelpText('after', examples('webhooks list --organisation acme'))
    .action(async ({ organisation }: OrganisationOption) => {
      const found = await adminOfEnvironment().get<{ webhooks: WebhookInfo[] }>(pathOf(organisation));
      const none = 'no webhooks: add one with numgate webhooks add\n';
      print(found.webhooks.length === 0 ? none : formatTable(NAMES, found.webhooks.map(rowOf)), found);
    });

  command('show')
    .description('show a webhook and its progress')
    .argument('<id>', 'as list shows it')
    .addHelpText('after', examples('webhooks show 0a1b2c3d4e5f --organisation acme'))
    .action(async (id: string, { organisation }: OrganisationOption) => {
      print(...formatWebhook(await adminOfEnvironment().get<WebhookInfo>(pathOf(organisation, id))));
    });

  addReasonOption(command('add'))
    .description('add a webhook, which receives the notices from now on, and print its secret')
    .argument('<url>', 'URL that receives the notices: https, on an allowed host')
    .option('--types <list>', `only these types: any of ${WEBHOOK_TYPES.join(', ')}`, commaList)
    .addHelpText('after', examples('webhooks add https://hooks.acme.example/numgate --organisation acme'))
    .action(async (url: string, { organisation, types, reason }: AddOptions) => {
      const body = { url, ...(types === undefined ? {} : { types }), reason };
      print(
        ...formatSecret(await adminOfEnvironment().change<WebhookSecret>('POST', pathOf(organisation), body)),
      );
    });

  addReasonOption(command('remove'))
    .description('remove a webhook, with its deliveries')
    .argument('<id>', 'as list shows it')
    .addHelpText('after', examples('webhooks remove 0a1b2c3d4e5f --organisation acme'))
    .action(async (id: string, { organisation, reason }: ChangeOptions) => {
      await adminOfEnvironment().change('DELETE', pathOf(organisation, id), { reason });
      print(`webhook ${id} removed\n`, { id, removed: true });
    });

  addReasonOption(command('enable'))
    .description('send to a webhook again, from the first waiting notice on')
    .argument('<id>', 'as list shows it')
    .option('--skip', 'begin with the next new notice: waiting notices are never sent', false)
    .addHelpText('after', examples('webhooks enable 0a1b2c3d4e5f --organisation acme'))
    .action(
      async (id: string, { organisation, skip, reason }: ChangeOptions & { readonly skip: boolean }) => {
        print(...formatWebhook(await act(organisation, id, 'enable', { skip, reason })));
      },
    );

  addReasonOption(command('disable'))
    .description('stop sending to a webhook; notices wait for it')
    .argument('<id>', 'as list shows it')
    .addHelpText('after', examples('webhooks disable 0a1b2c3d4e5f --organisation acme'))
    .action(async (id: string, { organisation, reason }: ChangeOptions) => {
      print(...formatWebhook(await act(organisation, id, 'disable', { reason })));
    });

  addReasonOption(command('rotate'))
    .description(
      'replace the secret of a webhook and print the new one; the old secret also signs for one more day',
    )
    .argument('<id>', 'as list shows it')
    .addHelpText('after', examples('webhooks rotate 0a1b2c3d4e5f --organisation acme'))
    .action(async (id: string, { organisation, reason }: ChangeOptions) => {
      print(...formatSecret(await act<WebhookSecret>(organisation, id, 'rotate', { reason })));
    });

  addReasonOption(command('test'))
    .description('send a test notice to a webhook now')
    .argument('<id>', 'as list shows it')
    .addHelpText('after', examples('webhooks test 0a1b2c3d4e5f --organisation acme'))
    .action(async (id: string, { organisation, reason }: ChangeOptions) => {
      const delivery = await act<DeliveryInfo>(organisation, id, 'test', { reason });
      print(formatDeliveries([delivery]), delivery);
      if (delivery.state !== 'delivered')
        throw new CommandFailure('the webhook did not accept the test notice', 1);
    });

  addReasonOption(command('replay'))
    .description('send a notice to a webhook again, or all notices that failed since a time')
    .argument('<id>', 'as list shows it')
    .addOption(
      new Option('--notice <version>', 'send this notice again').argParser(positiveNumber).conflicts('since'),
    )
    .option(
      '--since <date>',
      'repeat all deliveries that failed since: 2026-11-24 (in Korea), or a time',
      time,
    )
    .addHelpText(
      'after',
      examples('webhooks replay 0a1b2c3d4e5f --since 2026-11-24T09:00:00Z --organisation acme'),
    )
    .action(async (id: string, { organisation, notice: version, since, reason }: ReplayOptions) => {
      if (version === undefined && since === undefined)
        throw new CommandFailure(
          "one of the options '--notice <version>' and '--since <date>' is required",
          2,
        );
      const body = { ...(version === undefined ? { since } : { version }), reason };
      const done = await act<Replayed>(organisation, id, 'replay', body);
      const more = done.more ? ': there are more, so run the command again' : '';
      const what = done.replayed === 1 ? 'delivery is' : 'deliveries are';
      print(`${count(done.replayed)} ${what} repeated${more}\n`, done);
    });

  addDeliveries(command('deliveries'));

  requireReason(command('hosts'))
    .description('set the hosts that webhooks of an organisation may go to (scope: clients)')
    .argument(
      '<list>',
      'host names, separated by commas, with :port if it is not 443; none allows no host',
      hosts,
    )
    .addHelpText(
      'after',
      examples('webhooks hosts hooks.acme.example --organisation acme --reason "contract 17"'),
    )
    .action(async (list: readonly string[] | typeof NONE, { organisation, reason }: ChangeOptions) => {
      const webhookHosts = list === NONE ? [] : list;
      const path = `${organisationPath(organisation)}/webhook-hosts`;
      const { seq } = await adminOfEnvironment().change<{ seq: number }>('PUT', path, {
        webhookHosts,
        reason,
      });
      const text = webhookHosts.length === 0 ? 'no host' : webhookHosts.join(', ');
      print(`webhooks of ${organisation} may go to ${text}\n`, { organisation, webhookHosts, seq });
    });

  command('audit')
    .description('write the audit chain of the webhooks to standard output, as input for audit verify')
    .option('--after <n>', 'only records after record n', wholeNumber, 0)
    .addHelpText('after', examples('webhooks audit --organisation acme > webhooks.ndjson'))
    .action(async ({ organisation, after }: OrganisationOption & { readonly after: number }) => {
      const path = `${pathOf(organisation)}/audit`;
      for await (const line of auditLines(adminOfEnvironment(), after, path)) await writeLine(line);
    });
}

function hosts(text: string): Organisation['webhookHosts'] | typeof NONE {
  return text === 'none' ? NONE : commaList(text);
}

/** @param id of a webhook; without it, the path of all webhooks */
export function pathOf(organisation: string, id?: string): string {
  return `${organisationPath(organisation)}/webhooks${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;
}

function act<Value = WebhookInfo>(
  organisation: string,
  id: string,
  action: string,
  body: object,
): Promise<Value> {
  return adminOfEnvironment().change<Value>('POST', `${pathOf(organisation, id)}/${action}`, body);
}

const NAMES = ['webhook', 'url', 'types', 'state', 'sent up to#', 'waiting#', 'next attempt'];

function rowOf({ id, url, types, state, stateReason, position, waiting, nextAttemptAt }: WebhookInfo) {
  const why = stateReason === null || state === 'gone' ? '' : ` (${stateReason})`;
  const rest = [position, waiting, nextAttemptAt ?? ''];
  return [id, url, types.length === 0 ? 'all' : types.join(' '), state + why, ...rest];
}

function formatWebhook(webhook: WebhookInfo): Report<WebhookInfo> {
  const { secretNumber, previousSecretUntil, createdAt, failingSince, attempts } = webhook;
  const previous =
    previousSecretUntil === null ? '' : `; the previous secret also signs until ${previousSecretUntil}`;
  const failing =
    failingSince === null
      ? ''
      : `failing since ${failingSince}, ${counted(attempts, 'attempt')} for the next notice\n`;
  const lines = `added ${createdAt}\nsecret ${secretNumber}${previous}\n${failing}`;
  return [formatTable(NAMES, [rowOf(webhook)]) + lines, webhook];
}

function formatSecret(made: WebhookSecret): Report<WebhookSecret> {
  const { webhook, secret, publicKey } = made;
  const note = 'Store the secret now: it cannot be shown again. The public key verifies v1a signatures.';
  return [`${formatWebhook(webhook)[0]}\nsecret      ${secret}\npublic key  ${publicKey}\n${note}\n`, made];
}
