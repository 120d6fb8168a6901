import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Agent } from '@polyrun/core';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { agentActivities, type AgentActivitiesOptions, type WorkerRunOptions } from '@polyrun/temporal/worker';
import type { Execution } from './execution.ts';

/** Where the workflows of the tests are, for the bundler. */
export function workflowsIn(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

const quiet = new DefaultLogger('ERROR', () => undefined);

/** Temporal's core is one for each process; what it has to say goes nowhere. */
export function quietRuntime(): void {
  Runtime.install({
    logger: quiet,
    telemetryOptions: { logging: { filter: 'off', forward: {} } },
    shutdownSignals: [],
  });
}

export function bundled(file = 'workflows.ts'): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({ workflowsPath: workflowsIn(file), logger: quiet });
}

export type Running = { stop(): Promise<void> };
export type WorkerParts<C> = Omit<AgentActivitiesOptions<C>, 'options'> & {
  options?: WorkerRunOptions<C>;
  workflowBundle: WorkflowBundleWithSourceMap;
  taskQueue: string;
  more?: Partial<WorkerOptions>;
};

/** A worker in this process, which replays each run from its whole history at every workflow task. */
export async function runWorker<C>(address: string, parts: WorkerParts<C>): Promise<Running> {
  const { agents, options, workflowBundle, taskQueue, more } = parts;
  const connection = await NativeConnection.connect({ address });
  const activities = agentActivities({ agents, ...(options && { options: () => options }) });
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue,
    workflowBundle,
    activities,
    maxCachedWorkflows: 0,
    shutdownGraceTime: 0,
    workflowThreadPoolSize: 1,
    ...more,
  });
  const running = worker.run();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
  return { stop: () => (stopped ??= stop()) };
}

/** A worker in a process of its own, which can be killed. */
export async function startWorker(args: readonly string[]): Promise<{ kill(): Promise<void> }> {
  const file = fileURLToPath(new URL('worker.ts', import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') return { kill: () => killed(child) };
  }
  throw new Error(`the worker ended: ${errors}`);
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export async function clientOf(address: string): Promise<Client> {
  return new Client({ connection: await Connection.connect({ address }) });
}

/** What is begun: one run of an agent. */
export function begin(
  request: { agent: Agent<never, unknown> | string; input: string; [option: string]: unknown },
  taskQueue: string,
) {
  const { agent, ...rest } = request;
  const args = [{ ...rest, agent: typeof agent === 'string' ? agent : agent.name }];
  return { taskQueue, workflowId: randomUUID(), args };
}

/** The activities of a history, as its summaries name them. */
export function stepsOf({ events }: Execution): string[] {
  return events.flatMap(({ userMetadata, activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [String(JSON.parse(Buffer.from(userMetadata?.summary?.data ?? '""').toString()))] : [],
  );
}

export function eventsOf({ events }: Execution): string[] {
  const names = proto.temporal.api.enums.v1.EventType;
  return events.map(({ eventType }) => (names[Number(eventType)] ?? '').replace('EVENT_TYPE_', ''));
}
