/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <time.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "milter/child.h"
#include "milter/notify.h"

#define ALIVE_MS	1000

#ifdef HAVE_LIBSYSTEMD

void
notify_ready(void)
{
	sd_notify(0, "READY=1");
}

/* The time is for units of Type=notify-reload, the others ignore it. */
void
notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)child_clock_ms() * 1000);
}

void
notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void
notify_alive(void)
{
	static int64_t	 before;
	int64_t		 now = child_clock_ms();
	uint64_t	 limit_us;

	if (now - before < ALIVE_MS || sd_watchdog_enabled(0, &limit_us) <= 0)
		return;
	before = now;
	sd_notify(0, "WATCHDOG=1");
}

#else

void
notify_ready(void)
{
}

void
notify_reloading(void)
{
}

void
notify_stopping(void)
{
}

void
notify_alive(void)
{
}

#endif
