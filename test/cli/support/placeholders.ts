/** Values for the placeholders in commands of documents. */

const NEWEST = `$(npx numgate releases --json | node -p 'JSON.parse(fs.readFileSync(0)).releases[0].release')`;
const NEWEST_TEXT = `$(npx numgate text releases --json | node -p 'JSON.parse(fs.readFileSync(0)).releases[0].release')`;
const PLANNED = `$(npx numgate plan --json | node -p 'JSON.parse(fs.readFileSync(0)).hash')`;

const DELEGATION = `$(npx numgate delegations list --organisation reseller --json | node -p 'JSON.parse(fs.readFileSync(0)).delegations.at(-1).id')`;
/** Prints the newest webhook. */
const WEBHOOK = `$(npx numgate webhooks list --organisation acme --json | node -p 'JSON.parse(fs.readFileSync(0)).webhooks.at(-1).id')`;
/** A date in a month, because a delegation must have an end and no fixed date in a document stays valid. */
const DATE = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

/** Prints the operation of the newest live entry. */
const OPERATION = `$(npx numgate entries --json | node -p 'JSON.parse(fs.readFileSync(0)).entries.at(-1).operation')`;

/** Prints the registration with this reference. */
const registered = (reference: string): string =>
  `$(npx numgate registrations list --organisation acme --json | node -p 'JSON.parse(fs.readFileSync(0)).registrations.find((each) => each.reference === "${reference}").id')`;

/** Replaces the placeholders of a command. @param url of the service @param key of a client */
export function filledIn(command: string, url: string, key: string): string {
  return (
    command
      .replaceAll(/https:\/\/(control|edge)\.example\.com|http:\/\/localhost:8787/g, url)
      .replaceAll('localhost:8787', url.replace('http://', ''))
      .replaceAll(/demo\.…|(?<=NUMGATE_KEY=)…/g, key)
      .replaceAll(/<release>|20261125T0312Z-0a1b2c3d/g, NEWEST)
      .replaceAll('<text release>', NEWEST_TEXT)
      .replaceAll('<operation>', OPERATION)
      .replaceAll('<delegation>', DELEGATION)
      .replaceAll('0a1b2c3d4e5f', WEBHOOK)
      .replaceAll('<date>', DATE)
      .replaceAll('3f0c…', PLANNED)
      .replaceAll('<id>', registered('hq'))
      .replaceAll('<other>', registered('hotline'))
      // Other blocks use the newest build in the usual folder, which another document has proven, so build elsewhere.
      .replace(/ --authority acme$/, '$& --out build/acme')
  );
}
