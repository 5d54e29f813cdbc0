/*
 * attach.pml - attaching to the broker and losing it (spec/attach.md), as libmbus and mbus-broker do.
 *
 * Two clients want the same address on one broker. Links break at any time; the client library
 * connects again and asks for the address it had; a client may detach. Frames of one link stay in
 * order and are lost only with the link, of which each incarnation has a number. One reliable message
 * goes from client 0 to whoever has the address of client 1.
 *
 * Checked in every reachable state:
 *   - an address belongs to at most one link, and only to one that lives;
 *   - a ticket ends exactly once, as delivered only if the receiver acknowledged it;
 *   - no stuck link: when nothing can happen any more, no client waits for an answer.
 */
#define CLIENTS 2
#define BREAKS 3 /* links that may break in one run */
#define NOBODY 255

mtype = { attach, detach, attached, refused, message, ack, undelivered, hangup };

/* To the broker: kind, link number. To a client: kind, link number. */
chan up[CLIENTS] = [4] of { mtype, byte };
chan down[CLIENTS] = [6] of { mtype, byte };

byte link[CLIENTS];        /* the incarnation of each client's link, by the client */
byte on[CLIENTS];          /* the same by the broker, which may not know yet that it broke */
bool alive[CLIENTS];       /* ... and whether it lives */
byte owner = NOBODY;       /* who has the address, by the broker */
byte breaks = 0;
bool waits_for_ack = false; /* the broker's book of the one ticket: client 0 waits */
byte receiver = NOBODY;     /* ... for this client */
byte ended = 0;
bool acknowledged = false;

inline to_client(c, kind) {
        if
        :: alive[c] -> down[c] ! kind, on[c]
        :: else -> skip
        fi
}

/* The broker: what has the address loses it with its link; its senders learn so. */
inline release(c) {
        if
        :: owner == c -> owner = NOBODY
        :: else -> skip
        fi;
        if
        :: waits_for_ack && receiver == c -> waits_for_ack = false; receiver = NOBODY;
                to_client(0, undelivered)
        :: else -> skip
        fi;
        if
        :: c == 0 -> waits_for_ack = false; receiver = NOBODY
        :: else -> skip
        fi
}

active proctype Broker() {
        mtype kind;
        byte n, c;

end:    do
        :: atomic {
                if
                :: up[0] ? kind, n -> c = 0
                :: up[1] ? kind, n -> c = 1
                fi;
                if
                :: kind == hangup -> alive[c] = false; release(c)
                :: kind == attach ->
                        alive[c] = true;
                        on[c] = n;
                        if
                        :: owner == NOBODY || owner == c -> owner = c; to_client(c, attached)
                        :: else -> to_client(c, refused)
                        fi
                :: kind == detach -> release(c)
                :: kind == message ->
                        alive[c] = true;
                        on[c] = n;
                        if
                        :: owner == NOBODY || owner == c -> to_client(c, undelivered)
                        :: else -> waits_for_ack = true; receiver = owner; to_client(owner, message)
                        fi
                :: kind == ack ->
                        if
                        :: waits_for_ack && receiver == c ->
                                waits_for_ack = false; receiver = NOBODY;
                                to_client(0, ack)
                        :: else -> skip
                        fi
                fi
           }
           assert(owner == NOBODY || alive[owner])
        :: atomic { waits_for_ack -> /* 600 ms are over */
                waits_for_ack = false; receiver = NOBODY;
                to_client(0, undelivered) }
        od
}

proctype Client(byte me) {
        mtype kind;
        byte n;
        bool wants = true, asked = false, attached_here = false;
        bool ticket = false;         /* open */
        bool may_send = (me == 0);

end:    do
        :: wants && !asked && !attached_here -> atomic {
                asked = true;
                up[me] ! attach, link[me] }
        :: atomic { down[me] ? kind, n ->
                if
                :: n != link[me] -> skip
                :: kind == attached && n == link[me] -> asked = false; attached_here = true;
                        assert(owner == me || alive[me] == false || link[me] != on[me])
                :: kind == refused && n == link[me] -> asked = false; wants = false
                :: kind == message && n == link[me] -> acknowledged = true;
                        up[me] ! ack, link[me]
                :: kind == ack && n == link[me] ->
                        if
                        :: ticket -> ticket = false; ended++; assert(ended == 1);
                                assert(acknowledged)
                        :: else -> assert(false) /* an answer that nobody waits for */
                        fi
                :: kind == undelivered && n == link[me] ->
                        assert(ticket);
                        ticket = false; ended++; assert(ended == 1)
                fi;
                kind = 0; n = 0 }
        :: atomic { may_send && link[me] > 0 && !asked -> may_send = false; ticket = true;
                up[me] ! message, link[me] }
        :: atomic { attached_here && me == 1 -> /* leaves */
                attached_here = false; wants = false;
                up[me] ! detach, link[me] }
        :: atomic { breaks < BREAKS && nfull(up[me]) -> /* the link breaks */
                breaks++;
                up[me] ! hangup, link[me];
                link[me]++;
                asked = false; attached_here = false;
                if
                :: ticket -> ticket = false; ended++; assert(ended == 1) /* failed: link down */
                :: else -> skip
                fi }
        :: atomic { timeout -> assert(!asked && !ticket); break }
        od
}

init {
        atomic {
                link[0] = 1; link[1] = 1;
                run Client(0); run Client(1)
        }
}
