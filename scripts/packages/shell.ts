import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const start = promisify(execFile);

/** What a program printed. Throws with all that it said when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: { [name: string]: string } },
): Promise<string> {
  const env = { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false', ...options.env };
  try {
    const { stdout } = await start(command, [...args], { ...options, env, timeout: 300_000, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message }: { stdout?: string; stderr?: string; message: string } = Object(error);
    const told = `${stdout}${stderr}`.trim();
    throw new Error(`${command} ${args.join(' ')}\n${told || message}`, { cause: error });
  }
}

/** The pnpm that the repository works with, whoever calls. */
export function pnpm(args: readonly string[], options: { cwd: string }): Promise<string> {
  return run('npx', ['-y', 'pnpm@12', ...args], options);
}
