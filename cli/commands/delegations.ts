/**
 * `numgate delegations`: lets one organisation send for another. The principal proposes, the agent accepts with its key,
 * and the principal confirms with a signature. Then the agent can sign message tokens, and delegate further.
 */
import type { Command } from 'commander';
import type { DelegationInfo } from '../../shared/admin/credentials.ts';
import { DELEGATION_TYPE } from '../../shared/credentials/claims.ts';
import type { DelegationMove } from '../../shared/credentials/delegation-states.ts';
import { CHANNELS } from '../../shared/request.ts';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { jwsDigest, readHolderKey, readJws } from '../holder-key.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, commaList, examples, wholeNumber } from './options.ts';
import { addOrganisationOption, type OrganisationOption, organisationPath } from './organisation-option.ts';
import { pagesOf } from './pages.ts';
import { given } from './registration-actions.ts';
import { time } from './registration-options.ts';

type ReasonOptions = OrganisationOption & { readonly reason: string };
type KeyOptions = ReasonOptions & { readonly key: string };

interface ProposeOptions extends ReasonOptions {
  readonly agent: string;
  readonly link: string;
  readonly numbers: readonly string[];
  readonly scope: readonly string[];
  readonly notBefore?: string;
  readonly expires: string;
}

/** Moves that need no key. */
const MOVES: readonly (readonly [DelegationMove, string])[] = [
  ['reject', 'as the agent: refuse a delegation'],
  ['withdraw', 'as the principal: take back a delegation that is not active yet'],
  ['suspend', 'as the principal: stop a delegation until it is resumed'],
  ['resume', 'as the principal: make a suspended delegation active again'],
  ['revoke', 'as the principal: end a delegation for good'],
];

export function addDelegations(program: Command): void {
  const delegations = program
    .command('delegations')
    .description('let another organisation send from your numbers, or send for another organisation');
  const command = (name: string): Command => addOrganisationOption(delegations.command(name), 'delegations');
  const changing = (name: string): Command => addReasonOption(command(name));

  command('list')
    .description('list the delegations of an organisation, as principal and as agent')
    .option('--limit <rows>', 'maximum number of rows', wholeNumber, 200)
    .addHelpText('after', examples('delegations list --organisation acme'))
    .action(async ({ organisation, limit }: OrganisationOption & { readonly limit: number }) => {
      const path = delegationsOf(organisation);
      const page = await pagesOf<DelegationInfo>(adminOfEnvironment(), path, 'delegations', limit);
      const more =
        page.next === null ? '' : `there are more than ${limit}: raise --limit to see the others\n`;
      print(formatDelegations(page.items) + more, { delegations: page.items, next: page.next });
    });

  command('show')
    .description('show a delegation, or print it for the chain of a message token')
    .argument('<id>')
    .option('--jws', 'print the signed delegation', false)
    .addHelpText('after', examples('delegations show 12 --organisation relay --jws > delegation.jwt'))
    .action(async (id: string, { organisation, jws }: OrganisationOption & { readonly jws: boolean }) => {
      const delegation = await load(organisation, id);
      if (!jws) return print(...formatDelegation(delegation));
      if (delegation.delegation === null)
        throw new CommandFailure(`delegation ${id} is ${delegation.state}: the principal has not signed it`);
      print(`${delegation.delegation}\n`, { jws: delegation.delegation });
    });

  changing('propose')
    .description('as the principal: propose that an agent may send from some of your numbers')
    .requiredOption('--agent <id>', 'organisation that may send')
    .requiredOption('--link <file>', 'your own certificate, or the delegation in which you are the agent')
    .requiredOption(
      '--numbers <list>',
      'numbers and ranges of the link, separated by commas; - reads standard input',
      commaList,
    )
    .option('--scope <list>', `what the agent may send: any of ${CHANNELS.join(', ')}`, commaList, ['sms'])
    .option(
      '--not-before <time>',
      'when it begins: a date (its start in Korea), or RFC 3339 (default: now)',
      time,
    )
    .requiredOption('--expires <time>', 'when it ends', time)
    .addHelpText(
      'after',
      examples(
        'delegations propose --organisation acme --agent relay --link certificate.jwt --numbers +8215881234 ' +
          '--expires 2027-01-31',
      ),
    )
    .action(async ({ organisation, reason, link, ...options }: ProposeOptions) => {
      const { agent, numbers, scope, notBefore, expires } = options;
      const begin = notBefore === undefined ? {} : { notBefore };
      const written = await given(numbers, (number) => number);
      const delegation = {
        agent,
        link: jwsDigest(readJws(link)),
        numbers: written,
        scope,
        ...begin,
        expires,
      };
      print(...formatDelegation(await change(organisation, '', { delegation, reason })));
    });

  changing('accept')
    .description('as the agent: accept a delegation, and name the key that your tokens will be signed with')
    .argument('<id>')
    .requiredOption('--key <file>', 'your key; only its public part is sent')
    .addHelpText('after', examples('delegations accept 12 --organisation relay --key relay.jwk'))
    .action(async (id: string, { organisation, key, reason }: KeyOptions) => {
      const { publicKey } = await readHolderKey(key);
      print(...formatDelegation(await change(organisation, `/${id}/accept`, { key: publicKey, reason })));
    });

  changing('confirm')
    .description('as the principal: sign a delegation that the agent has accepted')
    .argument('<id>')
    .requiredOption('--key <file>', 'the key of your own certificate or delegation')
    .addHelpText('after', examples('delegations confirm 12 --organisation acme --key holder.jwk'))
    .action(async (id: string, { organisation, key, reason }: KeyOptions) => {
      const { toSign, state } = await load(organisation, id);
      if (toSign === undefined)
        throw new CommandFailure(`delegation ${id} is ${state}, not accepted: there is nothing to confirm`);
      const signer = await readHolderKey(key);
      if (toSign.header.kid !== null && toSign.header.kid !== signer.thumbprint)
        throw new CommandFailure(
          `${key} is not the key of your link: its certificate or delegation names ${toSign.header.kid}`,
        );
      const signed = await signer.sign(DELEGATION_TYPE, { ...toSign.claims });
      print(
        ...formatDelegation(await change(organisation, `/${id}/confirm`, { delegation: signed, reason })),
      );
    });

  for (const [move, description] of MOVES) {
    changing(move)
      .description(description)
      .argument('<id>')
      .addHelpText('after', examples(`delegations ${move} 12 --organisation acme`))
      .action(async (id: string, { organisation, reason }: ReasonOptions) =>
        print(...formatDelegation(await change(organisation, `/${id}/${move}`, { reason }))),
      );
  }
}

function load(organisation: string, id: string): Promise<DelegationInfo> {
  return adminOfEnvironment().get(`${delegationsOf(organisation)}/${encodeURIComponent(id)}`);
}

/** @param below path below the delegations of the organisation */
function change(organisation: string, below: string, body: object): Promise<DelegationInfo> {
  return adminOfEnvironment().change('POST', delegationsOf(organisation) + below, body);
}

function delegationsOf(organisation: string): string {
  return `${organisationPath(organisation)}/delegations`;
}

function formatDelegations(delegations: readonly DelegationInfo[]): string {
  const rows = delegations.map(({ id, chain, numbers, scope, state, expires }) => [
    ...[id, chain.join(' > '), numbers.join(' '), scope.join(' '), state, expires],
  ]);
  const names = ['delegation', 'chain', 'numbers', 'scope', 'state', 'expires'];
  return rows.length === 0 ? 'no delegations\n' : formatTable(names, rows);
}

/** The next step in each state, in words. */
const NEXT: Readonly<Record<string, string>> = {
  proposed: 'the agent must accept or reject it',
  accepted: 'the principal must confirm it',
};

function formatDelegation(delegation: DelegationInfo): Report {
  const { id, state, digest, key } = delegation;
  const lines = [
    `delegation ${id} is ${state}${NEXT[state] === undefined ? '' : `: ${NEXT[state]}`}`,
    ...(key === null ? [] : [`key of the agent ${key}`]),
    ...(digest === null ? [] : [`digest ${digest}`]),
  ];
  return [`${formatDelegations([delegation])}${lines.join('\n')}\n`, delegation];
}
