import starlight from '@astrojs/starlight';
import { defineConfig } from 'astro/config';
import path from 'node:path';
import { base, doors, packageFolders } from './src/places.ts';

const guides = (label: string, names: readonly string[]) => ({ label, items: names.map((name) => `guides/${name}`) });
const packages = packageFolders().map((folder) => path.basename(folder));

export default defineConfig({
  base: base === '' ? '/' : base,
  trailingSlash: 'always',
  integrations: [
    starlight({
      title: 'Polyrun',
      description: 'One agent loop, any model.',
      customCss: ['./src/site.css'],
      social: [{ icon: 'github', label: 'GitHub', href: 'https://github.com/polyrun/polyrun' }],
      sidebar: [
        guides('Start', ['running-agents', 'streaming', 'tools', 'models']),
        guides('Compose', ['handoffs', 'guardrails', 'conversations', 'human-approval', 'mcp']),
        guides('Operate', ['errors', 'durable-runs', 'tracing', 'testing-agents']),
        guides('Extend', ['writing-an-adapter']),
        guides('Migrate', ['migrating-from-python', 'migrating-from-javascript']),
        { label: 'Packages', items: packages.map((name) => ({ slug: `packages/${name}`, label: `@polyrun/${name}` })) },
        {
          label: 'API reference',
          items: [
            { slug: 'reference', label: 'Overview' },
            ...doors().map(({ name }) => ({ slug: name.replace('@polyrun', 'reference'), label: name })),
          ],
        },
        { label: 'Project', items: ['examples', 'architecture', 'contributing'] },
      ],
    }),
  ],
});
