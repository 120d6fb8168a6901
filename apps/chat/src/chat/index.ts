export { defineConfig, type AgentDescription, type ChatConfig, type Price } from './config/define-config.ts';
