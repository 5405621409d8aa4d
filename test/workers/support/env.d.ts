/**
 * What the test runtime gives to `env` and `exports` of cloudflare:workers.
 */
declare namespace Cloudflare {
  interface Env extends Readonly<import('../../../workers/env.ts').Env> {}
  interface GlobalProps {
    mainModule: typeof import('../../../workers/edge.ts');
  }
}
