"""curves"""
from app import state
state.page_head('curves')
state.page_foot()
