/* What head.S tells main(): how the loader was started. C and assembly. */
#ifndef BOOT_ENTRY_H
#define BOOT_ENTRY_H

#define BOOT_MULTIBOOT2 0x36d76289 /* what a multiboot2 boot loader leaves in EAX */
#define BOOT_PVH        0x336ec578 /* the magic number of PVH's start information */

#endif
