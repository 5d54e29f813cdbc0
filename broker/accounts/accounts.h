/*
 * accounts.h - the door of accounts/: who may take how much of what the broker has. Knows users and
 * limits, and no connection.
 */
#ifndef BROKER_ACCOUNTS_ACCOUNTS_H
#define BROKER_ACCOUNTS_ACCOUNTS_H

#include "peer.h"
#include "quota.h"

#endif
