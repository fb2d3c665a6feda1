"""What is kept: people, sessions, inbox, outbox, timers, tickets, members. One commit a turn."""
