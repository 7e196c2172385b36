/*
 * Which core knows of which number: numbers.h, and the questions that cores ask each other.
 *
 * Without other cores (no net) every number is at home here, and nothing waits.
 *
 * Runs in: the personality's domain. Those that may wait need a fiber.
 */
#ifndef LINUX_DIRECTORY_H
#define LINUX_DIRECTORY_H

#include "numbers.h"

struct shard_net;

/** Serve other cores, from now on. 0 or -ENOMEM. */
int directory_init(struct shard_net *net);

/** The numbers of this core. */
extern struct numbers process_numbers;

/** More numbers for this core, from core 0. May wait. 0 or a negative errno. */
int directory_lease(void);

/** The core that has the block of @number. May wait. -EHOSTDOWN. */
int directory_home(u32 number);

/** The core where process or thread @number lives. May wait. -ESRCH. */
int directory_where(u32 number);

/** Process or thread @number, of @moves moves, lives here now. Does not wait. */
void directory_is_here(u32 number, u32 moves);
/** It has ended here, and core @heir has what is left until somebody waits for it. */
void directory_is_left_to(u32 number, u32 heir);
/** The same: nothing is left of it; it had another home. Does not wait. */
void directory_is_gone(u32 number);

/**
 * One more member here of a group or session. The first tells its home. May wait.
 * 0, -ENOMEM, -EHOSTDOWN.
 */
int directory_join(u32 number, enum number_use use);
/** The same without waiting: its home may learn of it a moment later. */
void directory_join_more(u32 number, enum number_use use);
/** One member less; the last tells. Does not wait. */
void directory_leave(u32 number, enum number_use use);

/** The cores that have members, this one included if it has. May wait. 0 or -EHOSTDOWN. */
int directory_members(u32 number, enum number_use use, struct core_set *out);

#endif
