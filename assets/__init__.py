"""Files that come with jobdesk: demo photos of our own making, screenshots."""
