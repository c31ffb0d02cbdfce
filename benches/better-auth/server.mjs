// better-auth's email OTP over its own SQLite, for the bench: PORT, FILE, and for how many
// people a code is to be guessed. As its documentation sets it up, but for what is named here.
import { createServer } from 'node:http';
import Database from 'better-sqlite3';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { emailOTP } from 'better-auth/plugins';

const [port, file, people] = process.argv.slice(2);
const database = new Database(file);
// As our SQLite: an answer is on the disk before it is given.
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
const auth = betterAuth({
  database,
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a secret of the bench alone, of 32 bytes and more',
  // All requests come from one address: the limiter would refuse them unseen.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [emailOTP({ allowedAttempts: 5, sendVerificationOTP: async () => {} })],
});
await (await getMigrations(auth.options)).runMigrations();
for (let n = 0; n < Number(people); n += 1) {
  await auth.api.sendVerificationOTP({ body: { email: `user${n}@example.com`, type: 'sign-in' } });
}
createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1');
