/* Restartable sequences; see rseq.c. */
#ifndef LINUX_RSEQ_H
#define LINUX_RSEQ_H

#include "process.h"

/** @t was interrupted in user mode, for another thread or a signal. */
void rseq_interrupted(struct thread *t);

#endif
