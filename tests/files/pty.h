/*
 * A pseudo-terminal for a case.
 */
#ifndef PTY_H
#define PTY_H

/* Its two ends, once open_pair() has opened them. */
extern int master, slave;

/** Open a pair; the slave is nobody's controlling terminal. */
void open_pair(void);

/** What a read of up to 8,191 bytes gives, as a string, until the next call; "" for an error. */
const char *from(int fd);

/** Type @keys at the master. */
void type(const char *keys);

#endif
