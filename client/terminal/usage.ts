/** Of the commands of this program. */
export const USAGE = `smp-edge: chat

  smp-edge chat [--no-color] [--no-bell] [--notify]
      Talks with people, at a terminal; /help tells what can be typed. Without a terminal it reads lines from stdin.
  smp-edge send @NAME|#GROUP|* TEXT|- [--wait sent|delivered] [--timeout SECONDS] [--json]
      Sends one message (-: what stdin says) and waits until the relay has it.
  smp-edge recv [--count N] [--timeout SECONDS] [--from @NAME|#GROUP] [--json]
      Prints messages that were not read yet, waiting for N of them (1), and marks them as read.
  smp-edge listen [--json] [--timeout SECONDS]
      Prints everything that happens until it is stopped.
  smp-edge invite [--incognito] [--json]          prints an invitation for one person
  smp-edge connect LINK [--incognito] [--timeout SECONDS] [--json]
      Follows a link and waits until the connection is made.

  --db FOLDER              the profile (else SMP_EDGE_DB, or smp-edge/chat in the folder for programs' data)
  --user NAME              which of its names to use; the first time it is made (SMP_EDGE_USER)
  --relay RELAY            where to receive: local, https://..., or smp://... ; repeatable, kept the first time
                           (SMP_EDGE_RELAY)
  --proxy MODE             reach relays of others through your own: always, unknown, unprotected, never
  --passphrase-file FILE, --passphrase-fd N       the passphrase of the profile (SMP_EDGE_PASSPHRASE)

  Exit codes: 0 done; 1 failed; 2 the command line is wrong; 3 the profile cannot be opened; 4 refused: nobody of that
  name, or the message cannot be sent; 5 not done in time, and it goes on at the next start.
`;
