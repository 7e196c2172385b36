/* Gates of an interrupt descriptor table (SDM vol. 3A, 6.14.1): the loader's and the CPU driver's.
 */
#ifndef ARCH_GATE_H
#define ARCH_GATE_H

#include <skerry/types.h>
#include "arch/x86_64/asm.h"

#define GATE_INTERRUPT 0x8e /* present; only the processor and ring 0 may raise it */
#define GATE_ANYBODY   0x60 /* or-ed: ring 3 may raise it too */

struct gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_middle;
	u32 offset_high;
	u32 reserved;
};

/** A gate to @handler; @ist: 0 or the number of a stack in the TSS. */
static inline struct gate gate_make(u64 handler, u8 ist, u8 type)
{
	return (struct gate){
		.offset_low = (u16)handler,
		.selector = SEL_KERNEL_CS,
		.ist = ist,
		.type = type,
		.offset_middle = (u16)(handler >> 16),
		.offset_high = (u32)(handler >> 32),
	};
}

#endif
