// Reads an invoice, a PDF or an image, into typed data. What does not add up is read again.
//
//   node src/extract-invoice.ts documents/invoice.pdf
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Agent, Runner, type InputPart } from '@polyrun/core';
import { z } from 'zod';
import { runConfig } from './model.ts';

const Invoice = z
  .object({
    number: z.string(),
    seller: z.string(),
    date: z.iso.date(),
    currency: z.string().length(3),
    lines: z.array(z.object({ description: z.string(), amount: z.number() })),
    total: z.number(),
  })
  .refine(({ lines, total }) => Math.abs(lines.reduce((sum, { amount }) => sum + amount, 0) - total) < 0.005, {
    path: ['total'],
    message: 'must be the sum of the lines',
  });

const reader = new Agent({
  name: 'Reader',
  instructions: 'Read the invoice. Copy what it says; invent nothing.',
  outputType: Invoice,
  outputRetries: 2,
});

const file = process.argv[2] ?? 'documents/invoice.pdf';
const { finalOutput: invoice } = await Runner.run(
  reader,
  [{ role: 'user', content: [{ type: 'input_text', text: 'The invoice:' }, await attached(file)] }],
  { runConfig },
);
for (const { description, amount } of invoice?.lines ?? [])
  console.log(`${description.padEnd(24)} ${amount.toFixed(2)}`);
console.log(`${`${invoice?.seller}, ${invoice?.date}`.padEnd(24)} ${invoice?.total.toFixed(2)} ${invoice?.currency}`);

async function attached(name: string): Promise<InputPart> {
  const data = await readFile(name, 'base64');
  const type = path.extname(name).slice(1).toLowerCase();
  if (type === 'pdf') {
    return { type: 'input_file', filename: path.basename(name), file_data: `data:application/pdf;base64,${data}` };
  }
  return { type: 'input_image', image_url: `data:image/${type === 'jpg' ? 'jpeg' : type};base64,${data}` };
}
