/*
 * The door of a core: how two monitors come together when no letter gets through.
 *
 * Links are opened by letters along the tree (link.h), and a core that died in the tree cuts it.
 * So every core has one page at a place that all others can work out: the first of its free memory
 * (lib/corestart decides what comes before). Its owner alone writes it, all others may read it:
 *
 *   word[n]   where the owner's region for core n lies, stamped with this boot; 0: nowhere
 *
 * Who wants a link shows the other where its region is and rings its doorbell DOOR_BELL
 * (door_knock); who is rung looks at the doors of the cores to which it has no link (door_look).
 *
 * Machines of more cores than a page has words have no doors: there door_look() finds nothing.
 */
#ifndef MONITOR_DOOR_H
#define MONITOR_DOOR_H

#include <skerry/types.h>

/** Make this core's door. After mem_init(). */
void door_init(void);

/** Show @core where the region lies that it shall write; page aligned. */
void door_show(u32 core, u64 phys);

/** What @core, not this one, shows this core; 0: nothing, or it cannot be seen for now. */
u64 door_look(u32 core);

/** Make @core look at the doors. */
void door_knock(u32 core);

#endif
