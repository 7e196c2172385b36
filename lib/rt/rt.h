/*
 * The native runtime: what a program of Skerry's own has beside musl's pure code (strings,
 * snprintf, qsort, ...). From the bottom up:
 *
 *   calls.h    the CPU driver's calls          clock.h   time
 *   slots.h    slots for capabilities          vspace.h  mapping
 *   memory.h   memory from the monitor, malloc  print.h   printf, whole lines at a time
 *   loop.h     fibers, events, timers, local calls that others make
 *   task.h     starting programs on any core   channel.h messages to other domains
 *   agreed.h   names, which cores live     panic.h   giving up
 *
 * A program begins at main(argc, argv), which runs as a fiber; its return value is the exit
 * status. One thread of control: everything here is called from fibers or from handlers of the
 * loop, and from nowhere else.
 */
#ifndef RT_RT_H
#define RT_RT_H

#include <skerry/domain.h>
#include <skerry/monitor.h>
#include <rt/agreed.h>
#include <rt/calls.h>
#include <rt/channel.h>
#include <rt/clock.h>
#include <rt/loop.h>
#include <rt/memory.h>
#include <rt/panic.h>
#include <rt/print.h>
#include <rt/slots.h>
#include <rt/task.h>
#include <rt/vspace.h>

#endif
