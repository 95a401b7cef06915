/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_NOTIFY_H
#define MILTER_NOTIFY_H

/*
 * What systemd is told over NOTIFY_SOCKET, where there is one (sd_notify(3)).
 * The supervisor's alone: the unit takes nobody else's word.
 */
void	notify_ready(void);
void	notify_reloading(void);		/* notify_ready() ends it */
void	notify_stopping(void);
/*
 * All processes gave signs of life; sent on as often as WATCHDOG_USEC wants
 * it, and at most once a second.
 */
void	notify_alive(void);

#endif
