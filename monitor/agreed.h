/*
 * What programs of this core ask of the agreement between cores: names, and, where the command line
 * allows faults, objects for tests.
 *
 *   asked -> lib/agree -> done -> NOTICE_AGREED -> taken, forgotten
 *
 * A name belongs to the program that registered it, and goes with it; when its core dies, all do.
 */
#ifndef MONITOR_AGREED_H
#define MONITOR_AGREED_H

#include "program.h"

/**
 * Serve MON_NAME_*, MON_OBJECT, MON_LIVE, MON_BORROW, MON_IMPORT and MON_REVOKE.
 *
 * @w     the request's words; what else than the result is answered replaces them
 * @page  the program's call page
 * Returns the answer's w0.
 */
s64 agreed_serve(struct program *from, u64 *w, const void *page);

/** Its names go; nobody waits for what it had asked. */
void agreed_program_died(struct program *owner);

#endif
