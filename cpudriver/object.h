/*
 * Objects: what RETYPE makes out of memory and what happens when the original goes.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "cap.h"

/** Destroy what the original @cap stands for; nothing is inside it (object_is_empty). */
void object_destroy(struct cap *cap);

/** A saved right to answer goes: the caller gets -EPIPE. */
void object_destroy_reply(struct cap *cap);

/** Whether no capability lies inside it; all but tables are always empty. */
bool object_is_empty(const struct cap *cap);

/** A capability inside the table that is about to be destroyed, or NULL; its users die. */
struct cap *object_first_inside(struct cap *cap);

void object_describe(const struct cap *cap, struct cap_info *info);

#endif
