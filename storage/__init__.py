"""What is kept: people, conversations, inbox, outbox, jobs, tickets, applications, members, staff."""
