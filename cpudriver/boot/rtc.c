/*
 * What time it is: the PC's battery-backed clock, read once.
 *
 * Its registers may be BCD or binary, of 12 or 24 hours; they are read again until two readings
 * agree, since the clock goes on meanwhile. It is taken to show UTC.
 *
 * Runs in: the loader, on the first core. Source: Motorola MC146818A data sheet.
 */
#include "loader.h"
#include "arch/x86_64/cpu.h"

#include <bare/bare.h>

#define RTC_INDEX   0x70
#define RTC_DATA    0x71
#define RTC_STATUS  0x0a
#define RTC_FORMAT  0x0b
#define RTC_UPDATE  0x80u /* of RTC_STATUS: the registers are about to change */
#define RTC_BINARY  0x04u /* of RTC_FORMAT */
#define RTC_24_HOUR 0x02u
#define RTC_PM      0x80u  /* of the hour */
#define POLLS       10000u /* more than the 2 ms that an update takes at most */
#define READ_TRIES  4u
#define NS_PER_S    1000000000ul

/* Second, minute, hour, day, month, year of the century. */
static const u8 registers[] = {0, 2, 4, 7, 8, 9};

struct reading {
	u8 field[sizeof(registers)];
};

static u8 cmos(u8 index)
{
	outb(RTC_INDEX, index);
	return inb(RTC_DATA);
}

static struct reading read_once(void)
{
	struct reading r;

	for (u32 i = 0; i < POLLS && cmos(RTC_STATUS) & RTC_UPDATE; i++)
		;
	for (u32 i = 0; i < sizeof(registers); i++)
		r.field[i] = cmos(registers[i]);
	return r;
}

static u32 number(u8 field, u8 format)
{
	return format & RTC_BINARY ? field : (field >> 4) * 10u + (field & 15u);
}

static u32 hour_of(u8 field, u8 format)
{
	u32 hour = number(field & (u8)~RTC_PM, format);

	if (format & RTC_24_HOUR)
		return number(field, format);
	return hour % 12 + (field & RTC_PM ? 12 : 0);
}

/* Days from 1970 to a day of the years 1970 to 2099, in which every fourth is a leap year. */
static u64 days_to(u32 year, u32 month, u32 day)
{
	static const u16 before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	u64 leap_days = (year - 1969) / 4 + (year % 4 == 0 && month > 2);

	return (year - 1970) * 365ul + leap_days + before[month - 1] + day - 1;
}

u64 rtc_ns(void)
{
	struct reading r = read_once(), again;
	u8 format = cmos(RTC_FORMAT);
	u32 second, minute, hour, day, month, year;
	bool same = false;

	for (u32 i = 0; i < READ_TRIES && !same; i++) {
		again = read_once();
		same = memcmp(&r, &again, sizeof(r)) == 0;
		r = again;
	}
	second = number(r.field[0], format);
	minute = number(r.field[1], format);
	hour = hour_of(r.field[2], format);
	day = number(r.field[3], format);
	month = number(r.field[4], format);
	year = number(r.field[5], format);
	if (!same || second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 ||
	    month > 12 || year > 99)
		return 0;
	year += year < 70 ? 2000 : 1900;
	return (days_to(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * NS_PER_S;
}
