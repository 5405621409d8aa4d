/** `numgate certificates`: the certificates that issuers signed for an organisation. Each registers its numbers. */
import type { Command } from 'commander';
import type { CertificateInfo } from '../../shared/admin/credentials.ts';
import { PROOF_TYPE } from '../../shared/credentials/claims.ts';
import { adminOfEnvironment } from '../admin.ts';
import { jwsDigest, readHolderKey, readJws } from '../holder-key.ts';
import { formatReason } from '../problem.ts';
import { print, type Report } from '../terminal/output.ts';
import { formatTable } from '../terminal/table.ts';
import { addReasonOption, commaList, examples, wholeNumber } from './options.ts';
import { addOrganisationOption, type OrganisationOption, organisationPath } from './organisation-option.ts';
import { pagesOf } from './pages.ts';

interface AddOptions extends OrganisationOption {
  readonly key: string;
  readonly clients: readonly string[];
  readonly reference?: string;
  readonly reason: string;
}

export function addCertificates(program: Command): void {
  const certificates = program
    .command('certificates')
    .description('register numbers with certificates that issuers have signed');
  const command = (name: string): Command =>
    addOrganisationOption(certificates.command(name), 'certificates');

  command('list')
    .description('list certificates in the order of their upload')
    .option('--limit <rows>', 'maximum number of rows', wholeNumber, 200)
    .addHelpText('after', examples('certificates list --organisation acme'))
    .action(async ({ organisation, limit }: OrganisationOption & { readonly limit: number }) => {
      const path = certificatesOf(organisation);
      const page = await pagesOf<CertificateInfo>(adminOfEnvironment(), path, 'certificates', limit);
      const more =
        page.next === null ? '' : `there are more than ${limit}: raise --limit to see the others\n`;
      print(formatCertificates(page.items) + more, { certificates: page.items, next: page.next });
    });

  command('show')
    .description('show a certificate, and the registrations that rest on it')
    .argument('<digest>', 'SHA-256 in base64url, as list shows it')
    .addHelpText('after', examples('certificates show 0a1b2c3d… --organisation acme'))
    .action(async (digest: string, { organisation }: OrganisationOption) => {
      const path = `${certificatesOf(organisation)}/${encodeURIComponent(digest)}`;
      print(...formatCertificate(await adminOfEnvironment().get<CertificateInfo>(path)));
    });

  addReasonOption(command('add'))
    .description(
      'upload a certificate, and prove that you hold its key; to change its clients later, edit its registrations',
    )
    .argument('<file>', 'the certificate, a compact JWS')
    .requiredOption(
      '--key <file>',
      'key that the certificate was issued for; it stays with you, and signs a proof',
    )
    .requiredOption(
      '--clients <list>',
      'clients that may send from its numbers, separated by commas',
      commaList,
    )
    .option('--reference <text>', 'your own name for the registrations')
    .addHelpText(
      'after',
      examples('certificates add certificate.jwt --organisation acme --key holder.jwk --clients acme-main'),
    )
    .action(async (file: string, { organisation, key: path, clients, reference, reason }: AddOptions) => {
      const certificate = readJws(file);
      const key = await readHolderKey(path);
      const iat = Math.floor(Date.now() / 1000);
      const proof = await key.sign(PROOF_TYPE, { aud: organisation, iat, crt: jwsDigest(certificate) });
      const given = reference === undefined ? {} : { reference };
      const body = { certificate, key: key.publicKey, proof, clients, ...given, reason };
      const added = await adminOfEnvironment().change<CertificateInfo>(
        'POST',
        certificatesOf(organisation),
        body,
      );
      print(...formatCertificate(added));
    });
}

function certificatesOf(organisation: string): string {
  return `${organisationPath(organisation)}/certificates`;
}

function formatCertificates(certificates: readonly CertificateInfo[]): string {
  const rows = certificates.map(({ digest, issuer, sub, numbers, line, expires, ...rest }) => [
    ...[digest, issuer, sub, numbers.join(' '), line, formatState(rest), expires],
  ]);
  const names = ['certificate', 'issuer', 'holder', 'numbers', 'line', 'state', 'expires'];
  return rows.length === 0 ? 'no certificates\n' : formatTable(names, rows);
}

function formatState({ state, held }: Pick<CertificateInfo, 'state' | 'held'>): string {
  return held === true ? `${state} (its issuer may not sign it now)` : state;
}

function formatCertificate(certificate: CertificateInfo): Report {
  const { organisation, digest, registrations, clients, key, statusList, reasons = [] } = certificate;
  const numbers = registrations.map((id) => `${organisation}/${id}`);
  const lines = [
    `key ${key}, status list ${statusList.uri}, index ${statusList.index}`,
    `clients ${clients.join(' ')}; registrations ${numbers.length === 0 ? 'none yet' : numbers.join(' ')}`,
    ...reasons.map(formatReason),
  ];
  return [`${formatCertificates([certificate])}${digest}: ${lines.join('\n')}\n`, certificate];
}
