/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_KEY_RATE_H
#define STORE_KEY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/key.h"

/*
 * How often each key has signed of late.  A key may sign per_minute times at
 * once, and then as often as that number allows evenly.  Keys that have not
 * used up any of it take no memory.  Any number of threads may ask.
 */
struct key_rate;

struct key_rate *key_rate_new(void);
void	key_rate_free(struct key_rate *);

/*
 * One more signature; false if there were too many.
 *
 * per_minute  0: any number
 * now_us      microseconds on a clock that nobody sets
 */
bool	key_rate_take(struct key_rate *, const uint8_t id[KEY_ID_LEN],
	    uint32_t per_minute, int64_t now_us);

#endif
