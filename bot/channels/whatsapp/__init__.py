"""WhatsApp by Meta's Cloud API: what comes in is read here, pywa carries what goes out."""

from typing import Final

NAME: Final = "whatsapp"
